"""The last steps of the OpenAPI file: shared components, tags, choices that may be blank, and parts that may be null."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from drf_spectacular.plumbing import deep_import_string

from apps.common import domain
from apps.rest.schema import components

_BLANK = {"$ref": "#/components/schemas/BlankEnum"}
_NULL = {"$ref": "#/components/schemas/NullEnum"}
_ROWS = "The rows of this page, in the order of the list"
_ENVELOPES = {
    "ListReply": "The reply to a request for a page.",
    "Reply": "The reply to a request that succeeded.",
    "ListData": "A page of a list.",
    "Data": "What the operation returns, by its name.",
}


def share(result: dict[str, Any], generator: Any, **_: Any) -> dict[str, Any]:
    """Adds what the operations refer to: headers, error replies, schemas, the authentication schemes; and describes each tag."""
    parts = result.setdefault("components", {})
    parts["schemas"] = {**parts.get("schemas", {}), **components.SCHEMAS}
    _narrow_success(parts["schemas"])
    _share_choices(result)
    parts["schemas"] = dict(sorted(parts["schemas"].items()))
    parts["responses"] = _used(components.responses(), "responses", result["paths"])
    parts["headers"] = _used(components.declared_headers(), "headers", [result["paths"], parts["responses"]])
    parts["securitySchemes"] = {components.SECURITY: components.BEARER, components.KEY_SECURITY: components.API_KEY}
    result["tags"] = _tags(generator)
    return result


def allow_blank(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Makes a choice that may be blank a component of its own, `…OrBlank`, in place of one of two lists."""
    schemas = result["components"]["schemas"]
    for schema in list(schemas.values()):
        for field in schema.get("properties", {}).values():
            if _BLANK in field.get("oneOf", ()):
                named = next(part for part in field.pop("oneOf") if part != _BLANK)
                name = named["$ref"].rpartition("/")[2]
                schemas[f"{name}OrBlank"] = {"type": "string", "enum": [*schemas[name]["enum"], ""]}
                reference = {"$ref": f"#/components/schemas/{name}OrBlank"}
                field.update({"allOf": [reference]} if field else reference)  # a bare reference has no siblings
    _drop_unused(result, schemas)
    return result


def allow_null(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Writes a shared part or choice that may be null as one of two: the reference, or null.

    The generators for Python, TypeScript, Java, Go and PHP read it as the part's own type that may be null, and to the letter of
    OpenAPI 3.0 it takes null. `nullable` next to a reference does neither: it has a meaning only next to a `type`.
    """
    schemas = result["components"]["schemas"]
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            if _NULL in field.get("oneOf", ()) or (field.get("nullable") and "allOf" in field):
                field.pop("nullable", None)
                parts = [part for part in field.pop("oneOf", None) or field.pop("allOf") if part != _NULL]
                field["anyOf"] = [*parts, {"enum": [None]}]
    _drop_unused(result, schemas)
    return result


def allow_selection(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Makes the keys optional that `fields` can take out of a reply, so that no generated client refuses the selected rest.

    `x-required-without-fields` lists those that a reply without `fields` always has: the tests and the comparison with the last
    release hold the server to them.
    """
    schemas = result["components"]["schemas"]
    for methods in result["paths"].values():
        operation = methods.get("get", {})
        if any(one["name"] == "fields" for one in operation.get("parameters", ())):
            resource = _resource_of(operation, schemas)
            for part in (
                resource,
                *(inner for field in resource.get("properties", {}).values() for inner in _parts(field, schemas)),
            ):
                if "required" in part:
                    part["x-required-without-fields"] = part.pop("required")
    return result


def _resource_of(operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Returns the component whose keys `fields` selects: the first part of the data, or the data if it is the resource itself."""
    reply = next(_parts(operation["responses"]["200"]["content"]["application/json"]["schema"], schemas))
    reference = reply["properties"]["data"]
    data = next(_parts(reference, schemas))
    return next(_parts(next(iter(data["properties"].values())), schemas)) if reference["$ref"].endswith("Data") else data


def _parts(node: dict[str, Any], schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the components that a schema refers to, as itself, as a list or as one of several."""
    if "$ref" in node:
        yield schemas[node["$ref"].rpartition("/")[2]]
    for inner in (node.get("items"), *node.get("allOf", ()), *node.get("anyOf", ())):
        if inner:
            yield from _parts(inner, schemas)


def describe(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe the components and properties that say nothing of themselves, from the texts of the apps.

    The apps declare them (`DomainConfig.descriptions`). OpenAPI 3.0 reads nothing next to a reference: the component has the
    text.
    """
    texts = domain.merged(config.descriptions for config in domain.installed())
    schemas = result["components"]["schemas"]
    for name, schema in schemas.items():
        described = {
            field: _described(one, _text_of(name, field, one, texts)) for field, one in schema.get("properties", {}).items()
        }
        parts = {"properties": described} if described else {}
        schemas[name] = _described({**schema, **parts}, texts.get(name) or _of_envelope(name))
    return result


def _described(schema: dict[str, Any], text: str | None) -> dict[str, Any]:
    return {"description": text} | schema if text and "$ref" not in schema else schema


def _text_of(name: str, field: str, schema: dict[str, Any], texts: Mapping[str, str]) -> str | None:
    if name.endswith("ListData") and schema.get("type") == "array":
        return _ROWS
    return texts.get(f"{name}.{field}", texts.get(field))


def _of_envelope(name: str) -> str | None:
    return next((text for ending, text in _ENVELOPES.items() if name.endswith(ending)), None)


def _share_choices(result: dict[str, Any]) -> None:
    """Makes each choice of a parameter, or of the values of a dictionary, refer to the component of the same choices.

    Choices that only parameters offer get a component if an app names them (`DomainConfig.enum_names`).
    """
    schemas = result["components"]["schemas"]
    names = _names_by_apps() | {tuple(sorted(one["enum"])): name for name, one in schemas.items() if "enum" in one}
    for holder, key in _choices(result):
        if name := names.get(tuple(sorted(holder[key]["enum"]))):
            schemas.setdefault(name, holder[key])
            holder[key] = {"$ref": f"#/components/schemas/{name}"}


def _names_by_apps() -> dict[tuple[str, ...], str]:
    """Returns the names that apps give to choices, by the values. The choices are an enum, texts or pairs of value and label."""
    names = {}
    for name, path in domain.merged(config.enum_names for config in domain.installed()).items():
        choices = deep_import_string(path)
        values = (one[0] if isinstance(one, tuple) else getattr(one, "value", one) for one in choices)
        names[tuple(sorted(values))] = name
    return names


def _choices(result: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yields where a choice is that drf-spectacular leaves in place: the object that has it, and its key there."""
    for operation in (one for methods in result["paths"].values() for one in methods.values()):
        for parameter in operation.get("parameters", ()):
            holder, key = (parameter["schema"], "items") if "items" in parameter["schema"] else (parameter, "schema")
            if "enum" in holder[key]:
                yield holder, key
    for schema in list(result["components"]["schemas"].values()):
        for field in schema.get("properties", {}).values():
            values = field.get("additionalProperties")
            if isinstance(values, dict) and "enum" in values:
                yield field, "additionalProperties"


def _narrow_success(schemas: dict[str, Any]) -> None:
    """Makes `success` always true in a reply and always false in a refusal, so that a client's types distinguish the two.

    This runs at the end, because drf-spectacular makes a component of every choice that it sees.
    """
    for name, schema in schemas.items():
        if "success" in schema.get("properties", {}):
            schema["properties"]["success"]["enum"] = [name != "ErrorReply"]


def _used(shared: dict[str, Any], kind: str, where: Any) -> dict[str, Any]:
    text = repr(where)
    return {name: one for name, one in shared.items() if f"#/components/{kind}/{name}'" in text}


def _drop_unused(result: dict[str, Any], schemas: dict[str, Any]) -> None:
    text = repr(result)
    for name in [name for name, schema in schemas.items() if "enum" in schema and f"#/components/schemas/{name}'" not in text]:
        del schemas[name]


def _tags(generator: Any) -> list[dict[str, str]]:
    """Returns every tag once, described by the first view that has it."""
    descriptions: dict[str, str] = {}
    for _, _, _, view in generator._get_paths_and_endpoints():
        descriptions.setdefault(view.schema.get_tags()[0], inspect.getdoc(type(view)) or "")
    return [{"name": name, "description": description} for name, description in descriptions.items()]
