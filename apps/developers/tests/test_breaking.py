"""Every kind of break is seen, and what only adds is let through."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from apps.developers.contract import breaking_changes

Change = Callable[[dict[str, Any]], Any]

FILE: dict[str, Any] = {
    "paths": {
        "/colours": {
            "get": {
                "operationId": "listColours",
                "security": [],
                "parameters": [
                    {"in": "query", "name": "shade", "schema": {"type": "string", "enum": ["dark", "light"], "maxLength": 10}},
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "maximum": 100}},
                ],
                "responses": {"200": {"$ref": "#/components/responses/Colours"}, "400": {}},
            },
            "post": {
                "operationId": "createColour",
                "security": [{"bearerAuth": []}],
                "requestBody": {
                    "required": False,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ColourBody"}}, "text/plain": {}},
                },
                "responses": {
                    "201": {
                        "headers": {"Location": {}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Colour"}}},
                    }
                },
            },
        },
    },
    "components": {
        "responses": {
            "Colours": {
                "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Colour"}}}}
            }
        },
        "schemas": {
            "ErrorCode": {"type": "string", "enum": ["GONE", "CONFLICT"]},
            "ColourBody": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "maxLength": 20},
                    "weight": {"type": "number", "nullable": True},
                    "shade": {"type": "string", "enum": ["dark", "light"]},
                },
                "required": ["name"],
            },
            "Colour": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "count": {"type": "integer"},
                    "note": {"type": "string", "nullable": True},
                    "shade": {"type": "string", "enum": ["dark", "light"]},
                    "owner": {"allOf": [{"$ref": "#/components/schemas/Owner"}]},
                    "heir": {"allOf": [{"$ref": "#/components/schemas/Owner"}], "nullable": True},
                    "parent": {"$ref": "#/components/schemas/Colour"},
                    "finish": {"oneOf": [{"type": "string", "enum": ["matt", "gloss"]}, {"enum": [None]}]},
                    "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
                },
                "required": ["id", "shade"],
            },
            "Owner": {"type": "object", "properties": {"name": {"type": "string"}}},
        },
    },
}


def breaks_of(change: Change) -> list[str]:
    new = copy.deepcopy(FILE)
    change(new)
    return breaking_changes.breaks(FILE, new)


def body(file: dict[str, Any]) -> dict[str, Any]:
    return file["components"]["schemas"]["ColourBody"]


def colour(file: dict[str, Any]) -> dict[str, Any]:
    return file["components"]["schemas"]["Colour"]


def listing(file: dict[str, Any]) -> dict[str, Any]:
    return file["paths"]["/colours"]["get"]


def making(file: dict[str, Any]) -> dict[str, Any]:
    return file["paths"]["/colours"]["post"]


def absent_with(file: dict[str, Any], parameter: str) -> None:
    colour(file)["required"].remove("shade")
    colour(file)["properties"]["shade"]["x-absent-with"] = parameter


def required_without_fields(file: dict[str, Any], *names: str) -> None:
    colour(file).pop("required")
    colour(file)["x-required-without-fields"] = list(names)


BREAKS: dict[str, Change] = {
    "/colours was removed": lambda f: f["paths"].pop("/colours"),
    "GET /colours was removed": lambda f: f["paths"]["/colours"].pop("get"),
    "GET /colours: operationId listColours became all": lambda f: listing(f).update(operationId="all"),
    "GET /colours: now requires authentication": lambda f: listing(f).update(security=[{"bearerAuth": []}]),
    "GET /colours query parameter limit was removed": lambda f: listing(f)["parameters"].pop(),
    "GET /colours query parameter limit is now required": lambda f: listing(f)["parameters"][1].update(required=True),
    "GET /colours query parameter new is now required": lambda f: listing(f)["parameters"].append(
        {"in": "query", "name": "new", "required": True, "schema": {}}
    ),
    "GET /colours query parameter limit: maximum became 50": lambda f: listing(f)["parameters"][1]["schema"].update(maximum=50),
    "GET /colours query parameter shade: choice 'dark' was removed": lambda f: listing(f)["parameters"][0]["schema"]["enum"].pop(
        0
    ),
    "GET /colours query parameter limit: type integer became string": lambda f: listing(f)["parameters"][1].update(
        schema={"type": "string"}
    ),
    "GET /colours 200 was removed": lambda f: listing(f)["responses"].pop("200"),
    "POST /colours body is now required": lambda f: making(f)["requestBody"].update(required=True),
    "POST /colours body: text/plain was removed": lambda f: making(f)["requestBody"]["content"].pop("text/plain"),
    "POST /colours body.shade is now required": lambda f: body(f)["required"].append("shade"),
    "POST /colours body.new is now required": lambda f: (
        body(f)["properties"].update(new={"type": "string"}),
        body(f)["required"].append("new"),
    ),
    "POST /colours body.name was removed": lambda f: body(f)["properties"].pop("name"),
    "POST /colours body.name: maxLength became 19": lambda f: body(f)["properties"]["name"].update(maxLength=19),
    "POST /colours body.name: minLength became 2": lambda f: body(f)["properties"]["name"].update(minLength=2),
    "POST /colours body.name: pattern became ^a": lambda f: body(f)["properties"]["name"].update(pattern="^a"),
    "POST /colours body.name: format None became date": lambda f: body(f)["properties"]["name"].update(format="date"),
    "POST /colours body.name: is now one of ['a']": lambda f: body(f)["properties"]["name"].update(enum=["a"]),
    "POST /colours body.weight: may no longer be null": lambda f: body(f)["properties"]["weight"].pop("nullable"),
    "POST /colours body.weight: type number became integer": lambda f: body(f)["properties"]["weight"].update(type="integer"),
    "POST /colours body.shade: choice 'light' was removed": lambda f: body(f)["properties"]["shade"]["enum"].pop(),
    "POST /colours body: no longer accepts other fields": lambda f: body(f).update(additionalProperties=False),
    "POST /colours 201: header Location was removed": lambda f: making(f)["responses"]["201"]["headers"].pop("Location"),
    "GET /colours 200[].count was removed": lambda f: colour(f)["properties"].pop("count"),
    "GET /colours 200[].count: type integer became number": lambda f: colour(f)["properties"]["count"].update(type="number"),
    "GET /colours 200[].count: may now be null": lambda f: colour(f)["properties"]["count"].update(nullable=True),
    "GET /colours 200[].id may now be missing": lambda f: colour(f)["required"].remove("id"),
    "GET /colours 200[].shade may now be missing": lambda f: absent_with(f, "limit"),
    "GET /colours 200[].id: format uuid became None": lambda f: colour(f)["properties"]["id"].pop("format"),
    "GET /colours 200[].shade: choice 'dark' was removed": lambda f: colour(f)["properties"]["shade"]["enum"].remove("dark"),
    "GET /colours 200[].shade: is no longer one of ['dark', 'light']": lambda f: colour(f)["properties"]["shade"].pop("enum"),
    "GET /colours 200[].owner.name was removed": lambda f: f["components"]["schemas"]["Owner"]["properties"].pop("name"),
    "GET /colours 200[].either: a variant of oneOf was removed": lambda f: colour(f)["properties"]["either"]["oneOf"].pop(),
    "GET /colours 200[].finish: a variant of oneOf was removed": lambda f: colour(f)["properties"]["finish"]["oneOf"][0][
        "enum"
    ].pop(),
    "ErrorCode: choice 'GONE' was removed": lambda f: f["components"]["schemas"]["ErrorCode"]["enum"].remove("GONE"),
}

ADDITIONS: dict[str, Change] = {
    "nothing": lambda f: None,
    "a path": lambda f: f["paths"].update({"/shades": {"get": {"responses": {}}}}),
    "an operation": lambda f: f["paths"]["/colours"].update(delete={"responses": {}}),
    "a parameter": lambda f: listing(f)["parameters"].append({"in": "query", "name": "new", "schema": {}}),
    "a refusal": lambda f: listing(f)["responses"].update({"409": {}}),
    "a key of a reply": lambda f: colour(f)["properties"].update(new={"type": "string"}),
    "a key that is always there": lambda f: colour(f)["required"].append("count"),
    "a choice of a reply": lambda f: colour(f)["properties"]["shade"]["enum"].append("grey"),
    "a choice of a form of a reply": lambda f: colour(f)["properties"]["finish"]["oneOf"][0]["enum"].append("satin"),
    "a choice of a body": lambda f: body(f)["properties"]["shade"]["enum"].append("grey"),
    "a field one may send": lambda f: body(f)["properties"].update(new={"type": "string"}),
    "a field one need not send": lambda f: body(f)["required"].clear(),
    "a longer text": lambda f: body(f)["properties"]["name"].update(maxLength=30),
    "a null one may send": lambda f: body(f)["properties"]["name"].update(nullable=True),
    "a null that comes no more": lambda f: colour(f)["properties"]["note"].pop("nullable"),
    "a type of body": lambda f: making(f)["requestBody"]["content"].update({"application/merge-patch+json": {}}),
    "a door that opens": lambda f: making(f).update(security=[]),
    "another description": lambda f: listing(f).update(description="All of them"),
    "a key that is absent with a new parameter": lambda f: (
        listing(f)["parameters"].append({"in": "query", "name": "cursor", "schema": {}}),
        absent_with(f, "cursor"),
    ),
    "keys that are optional because `fields` takes them out": lambda f: required_without_fields(f, "id", "shade"),
    "null written as one of two": lambda f: colour(f)["properties"].update(
        heir={"anyOf": [{"$ref": "#/components/schemas/Owner"}, {"enum": [None]}]}
    ),
    "a code": lambda f: f["components"]["schemas"]["ErrorCode"]["enum"].append("TEAPOT"),
}


@pytest.mark.parametrize("expected", BREAKS)
def test_a_break_is_seen_and_named(expected: str) -> None:
    assert expected in breaks_of(BREAKS[expected])


def test_a_key_that_a_reply_without_fields_may_lack_is_a_break() -> None:
    assert breaks_of(lambda file: required_without_fields(file, "shade")) == ["GET /colours 200[].id may now be missing"]


@pytest.mark.parametrize("what", ADDITIONS)
def test_what_only_adds_passes(what: str) -> None:
    assert breaks_of(ADDITIONS[what]) == []
