"""The OpenAPI file of the running code, made once a process and day: its examples have the dates of coming weeks."""

from datetime import date
from functools import lru_cache
from typing import Any

import orjson
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

from apps.common import clock


def as_json() -> bytes:
    """The file in JSON, UTF-8, without blanks."""
    return _json_of(clock.today())


def as_yaml() -> bytes:
    """The same in YAML."""
    return _yaml_of(clock.today())


def as_dict() -> dict[str, Any]:
    """The same as plain values; the caller's own copy."""
    file: dict[str, Any] = orjson.loads(as_json())
    return file


@lru_cache(maxsize=1)
def _json_of(day: date) -> bytes:
    return orjson.dumps(orjson.loads(OpenApiJsonRenderer().render(_generated(day), renderer_context={})))


@lru_cache(maxsize=1)
def _yaml_of(day: date) -> bytes:
    yaml: bytes = OpenApiYamlRenderer().render(_generated(day))  # type: ignore[no-untyped-call]  # drf-spectacular states no types here
    return yaml


@lru_cache(maxsize=1)
def _generated(_day: date) -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # drf-spectacular states no types here
    return schema
