"""An action shown: what is sent, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request body and the reply in its envelope, either of which may be left out."""

    request: Mapping[str, Any] | None = None
    reply: Mapping[str, Any] | None = None


def media(schema: dict[str, Any], value: Mapping[str, Any] | None) -> dict[str, Any]:
    """A JSON body of this schema, with the reference's example where there is one."""
    kind: dict[str, Any] = {"schema": schema}
    if value is not None:
        kind["examples"] = {"reference": {"summary": "As in the API reference", "value": value}}
    return {"application/json": kind}
