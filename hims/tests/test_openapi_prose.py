"""What the OpenAPI file says in words: what each operation does, its refusals, its events, and what each value is."""

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.http import HttpResponse

from apps.appointments.events import AppointmentBooked
from apps.appointments.services import SlotTaken
from apps.common import domain
from apps.common.errors import CATALOGUE
from apps.developers.contract import openapi
from apps.events import event
from apps.rest.endpoint import Endpoint
from hims.tests import declared_replies

METHODS = ("get", "put", "post", "patch", "delete")
SENTENCES = range(2, 8)  # of what an operation does
WITHOUT_EVENT = {"matchPatient", "beginTotp"}  # writes that announce nothing: they change nothing that others see


@pytest.fixture(scope="module")
def file() -> dict[str, Any]:
    return openapi.as_dict()


def operations(file: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in file["paths"].values():
        yield from (methods[method] for method in METHODS if method in methods)


def prose(operation: dict[str, Any]) -> str:
    """What the operation does: the description up to the first paragraph with a heading."""
    return operation["description"].partition("**")[0].strip()


def test_every_operation_says_what_it_does(file: dict[str, Any]) -> None:
    wrong = {
        operation["operationId"]: sentences
        for operation in operations(file)
        if (sentences := len(re.findall(r"\.(?= |$|\n)", prose(operation)))) not in SENTENCES
    }
    assert not wrong


def test_the_summary_of_an_operation_is_one_line_that_says_what_to_do(file: dict[str, Any]) -> None:
    summaries = [operation["summary"] for operation in operations(file)]
    assert all(re.fullmatch(r"[A-Z][^.]{5,79}", summary) for summary in summaries), [one for one in summaries if len(one) > 80]


def test_every_refusal_of_an_operation_is_explained_in_its_own_words(file: dict[str, Any]) -> None:
    general, everywhere = {kind.message for kind in CATALOGUE}, {kind.reason for kind in CATALOGUE}
    for operation in operations(file):
        lines = dict(re.findall(r"- \d{3} `(\w+)`: (.*)", operation["description"]))
        assert list(lines) == operation.get("x-reasons", []), operation["operationId"]
        unexplained = [reason for reason, message in lines.items() if message in general and reason not in everywhere]
        assert not unexplained, operation["operationId"]


def test_every_event_of_an_operation_is_one_that_exists_and_is_in_its_description(file: dict[str, Any]) -> None:
    known = set(event.all_names())
    for operation in operations(file):
        names = operation.get("x-events", [])
        assert set(names) <= known
        assert all(f"`{name}`" in operation["description"] for name in names), operation["operationId"]


def test_every_write_lists_the_events_that_it_emits(file: dict[str, Any]) -> None:
    writes = [methods[method] for methods in file["paths"].values() for method in METHODS[1:] if method in methods]
    assert {write["operationId"] for write in writes if "x-events" not in write} == WITHOUT_EVENT


def properties(file: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema in file["components"]["schemas"].items():
        yield from ((f"{name}.{field}", one) for field, one in schema.get("properties", {}).items())


def test_every_component_says_what_it_is(file: dict[str, Any]) -> None:
    assert not [name for name, schema in file["components"]["schemas"].items() if not schema.get("description")]


def test_every_property_says_what_it_is_or_points_at_a_component_that_does(file: dict[str, Any]) -> None:
    assert not [name for name, one in properties(file) if not one.get("description") and "$ref" not in one]


def test_every_parameter_says_what_it_is(file: dict[str, Any]) -> None:
    parameters = [(one["operationId"], parameter) for one in operations(file) for parameter in one.get("parameters", ())]
    silent = [
        (where, one["name"]) for where, one in parameters if not (one.get("description") or one["schema"].get("description"))
    ]
    assert not silent


def test_every_text_of_an_app_describes_something(file: dict[str, Any]) -> None:
    known = {name for name, one in properties(file) if "$ref" not in one}
    known |= {name.partition(".")[2] for name in known} | set(file["components"]["schemas"])
    assert set(domain.merged(config.descriptions for config in domain.installed())) <= known


def test_a_refusal_that_the_operation_does_not_list_fails_the_test_that_meets_it() -> None:
    refusal = orjson.dumps({"error": {"code": "CONFLICT", "details": {"reason": "slot_taken"}}})
    response = HttpResponse(refusal, status=409, content_type="application/json")
    declared_replies.check_reason("POST /v1/appointments", Endpoint(refusals=(SlotTaken,)), response)
    with pytest.raises(AssertionError, match="gives the reason slot_taken"):
        declared_replies.check_reason("POST /v1/appointments", Endpoint(), response)


def test_an_event_that_the_operation_does_not_list_fails_the_test_that_meets_it() -> None:
    declared_replies.check_events("POST /v1/appointments", Endpoint(events=(AppointmentBooked,)), ["appointment.created"])
    with pytest.raises(AssertionError, match="emits"):
        declared_replies.check_events("POST /v1/appointments", Endpoint(), ["appointment.created"])
