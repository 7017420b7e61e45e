"""A JSON body of the OpenAPI file, with its example."""

from collections.abc import Mapping
from typing import Any


def media(schema: dict[str, Any], value: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns a JSON body of this schema, with the reference's example if there is one."""
    kind: dict[str, Any] = {"schema": schema}
    if value is not None:
        kind["examples"] = {"reference": {"summary": "As in the API reference", "value": value}}
    return {"application/json": kind}
