"""The OpenAPI file of the running code, made once a process."""

from functools import cache
from typing import Any

import orjson
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer


@cache
def as_json() -> bytes:
    """The file in JSON, UTF-8, without blanks."""
    return orjson.dumps(orjson.loads(OpenApiJsonRenderer().render(_generated(), renderer_context={})))


@cache
def as_yaml() -> bytes:
    """The same in YAML."""
    yaml: bytes = OpenApiYamlRenderer().render(_generated())  # type: ignore[no-untyped-call]
    return yaml


def as_dict() -> dict[str, Any]:
    """The same as plain values; the caller's own copy."""
    file: dict[str, Any] = orjson.loads(as_json())
    return file


@cache
def _generated() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema
