"""The server enforces every limit that the OpenAPI file states: a value just outside it gets 400, which names the field."""

import dataclasses
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from apps.accounts.models import User
from apps.consultations.steps import definitions
from apps.consultations.steps.definitions import SCHEMAS, Unreadable
from apps.developers.contract import openapi
from apps.patients.chart.entry_types import DETAILS, BadDetail, read_detail
from hims.tests import factories

BY_ANOTHER_FIELD = {"step_data", "detail"}  # read once the step or the type is known: tested below
NOWHERE = "01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44"
METHODS = ("get", "put", "post", "delete")  # PATCH takes what PUT takes
BEFORE_ROLE = {"login", "refresh"}  # they refuse a wrong password or token before anything else


def flat(file: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its references followed; of several forms the first."""
    while "$ref" in schema or "allOf" in schema or "anyOf" in schema:
        reference = schema if "$ref" in schema else (schema.get("allOf") or schema["anyOf"])[0]
        name = reference["$ref"].rpartition("/")[2]
        schema = file["components"]["schemas"][name]
    return schema


def outside(schema: dict[str, Any]) -> Iterator[Any]:
    """A value just outside each limit of the schema."""
    if "enum" in schema and schema["type"] == "string":
        yield "no-such-choice"
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if "maxLength" in schema:
        yield "a" * (schema["maxLength"] + 1)
    if schema.get("minLength") == 1:
        yield ""
    if "pattern" in schema:
        yield "~"
    if schema.get("format") in {"date", "date-time", "uuid"}:
        yield "2026-13-45"
    if schema.get("type") == "boolean":
        yield "banana"
    if schema.get("minItems") == 1:
        yield []


def of_body(file: dict[str, Any], schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """A body with one value outside its limit, and the field that the refusal must name. Objects are followed, lists are not."""
    for name, field in flat(file, schema).get("properties", {}).items():
        part = flat(file, field)
        where = f"{path}{name}"
        if part.get("type") == "object" and name not in BY_ANOTHER_FIELD:
            yield from ((inner, {name: body}) for inner, body in of_body(file, part, f"{where}."))
        for value in outside(part):
            yield where, {name: value}


def cases(file: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], str, dict[str, Any] | None]]:
    """Method, path, operation, field and body (None: the value is in the path's query) of each value outside a limit."""
    for template, methods in file["paths"].items():
        path = template
        for method in METHODS:
            operation = methods.get(method)
            if operation is None or operation["operationId"] in BEFORE_ROLE or template.startswith("/sandbox"):
                continue
            for one in operation.get("parameters", ()):
                if one["in"] == "query":
                    for value in outside(flat(file, one["schema"])):
                        yield method, f"{path}?{urlencode({one['name']: value})}", operation, one["name"], None
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            for field, body in of_body(file, content["schema"]) if content else ():
                yield method, path, operation, field, body


def named(error: dict[str, Any], field: str) -> bool:
    fields = [one["field"] for one in error["details"].get("errors", ())] + [error["details"].get("field")]
    return any(str(one).partition("[")[0] == field or str(one).startswith(f"{field}.") for one in fields)


@pytest.mark.django_db
def test_a_value_outside_a_stated_limit_is_refused_by_its_field(staff: dict[str, User], settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 10_000.0
    file = openapi.as_dict()
    clients = {role: factories.api_client(user) for role, user in staff.items()}
    refused, missed = 0, []
    for method, path, operation, field, body in cases(file):
        role = next((role for role in operation.get("x-roles", ()) if role in clients), "doctor")
        address = path
        for one in operation.get("parameters", ()):
            if one["in"] == "path":
                address = address.replace("{" + one["name"] + "}", NOWHERE)
        response = clients[role].call(method.upper(), address, body)
        if response.status_code == 404:  # the record is looked up first
            continue
        if response.status_code != 400 or not named(response.json()["error"], field):
            missed.append(f"{method} {path} {str(body)[:90]}: {response.status_code} {response.content[:220]!r}")
        refused += 1
    assert not missed, "\n".join(missed)
    assert refused > 300


def test_the_data_of_a_step_outside_a_stated_limit_is_refused_by_its_field() -> None:
    file, tried = openapi.as_dict(), 0
    for field, body in of_body(file, {"$ref": "#/components/schemas/StepDataBody"}):
        if field.startswith(("entered.", "follow_up.")):
            continue
        step = next(step for step, schema in SCHEMAS.items() if field in schema)
        with pytest.raises(Unreadable) as refusal:
            definitions.read(step, body)
        assert field in [problem.field for problem in refusal.value.problems], field
        tried += 1
    assert tried > 15


def test_a_detail_outside_a_stated_limit_is_refused_by_its_field() -> None:
    file, tried = openapi.as_dict(), 0
    for field, body in of_body(file, {"$ref": "#/components/schemas/DetailBody"}):
        for entry_type, kind in DETAILS.items():
            if field in {one.name for one in dataclasses.fields(kind)}:
                with pytest.raises(BadDetail) as refusal:
                    read_detail(entry_type, body)
                assert refusal.value.field == field
                tried += 1
    assert tried > 30
