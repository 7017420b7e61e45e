"""The last touch on the OpenAPI file: shared components, tags, choices that may be blank, and parts that may be null."""

import inspect
from typing import Any

from apps.rest.schema import components

_BLANK = {"$ref": "#/components/schemas/BlankEnum"}


def share(result: dict[str, Any], generator: Any, **_: Any) -> dict[str, Any]:
    """Add what the operations point at: headers, error replies, schemas, the bearer token; and say what each tag is."""
    parts = result.setdefault("components", {})
    parts["schemas"] = dict(sorted({**parts.get("schemas", {}), **components.SCHEMAS}.items()))
    parts["responses"] = components.responses()
    parts["headers"] = components.declared_headers()
    parts["securitySchemes"] = {components.SECURITY: components.BEARER, components.KEY_SECURITY: components.API_KEY}
    result["tags"] = _tags(generator)
    return result


def allow_blank(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A choice that may be blank as one list with the blank in it, rather than as one of two lists."""
    schemas = result["components"]["schemas"]
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            if _BLANK in field.get("oneOf", ()):
                named = next(part for part in field.pop("oneOf") if part != _BLANK)
                choices = schemas[named["$ref"].rpartition("/")[2]]
                field |= {"type": "string", "enum": [*choices["enum"], ""]}
    _drop_unused(result, schemas)
    return result


def allow_null(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A part that may be null says so beside its type: next to a reference, OpenAPI 3.0 gives `nullable` no meaning."""
    schemas = result["components"]["schemas"]
    for schema in list(schemas.values()):
        for field in schema.get("properties", {}).values():
            if field.get("nullable") and len(parts := field.get("allOf", ())) == 1 and "$ref" in parts[0]:
                whole = schemas[parts[0]["$ref"].rpartition("/")[2]]
                if "enum" not in whole:
                    del field["allOf"]
                    field |= {name: value for name, value in whole.items() if name not in field}
    return result


def _drop_unused(result: dict[str, Any], schemas: dict[str, Any]) -> None:
    text = repr(result)
    for name in [name for name, schema in schemas.items() if "enum" in schema and f"#/components/schemas/{name}'" not in text]:
        del schemas[name]


def _tags(generator: Any) -> list[dict[str, str]]:
    """Every tag once, described by the first view that carries it."""
    descriptions: dict[str, str] = {}
    for _, _, _, view in generator._get_paths_and_endpoints():
        descriptions.setdefault(view.schema.get_tags()[0], inspect.getdoc(type(view)) or "")
    return [{"name": name, "description": description} for name, description in descriptions.items()]
