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
    return OpenApiYamlRenderer().render(_generated())


def as_dict() -> dict[str, Any]:
    """The same as plain values; the caller's own copy."""
    return orjson.loads(as_json())


@cache
def _generated() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)
