"""The components of the OpenAPI file: what generators of clients make classes and types of."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any, cast

import pytest

from apps.consultations.steps.definitions import _NEXT, SCHEMAS
from apps.developers.contract import openapi
from apps.patients.chart.entry_types import DETAILS


@pytest.fixture(scope="module")
def file() -> dict[str, Any]:
    return openapi.as_dict()


def fields(file: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema in file["components"]["schemas"].items():
        yield from ((f"{name}.{field}", one) for field, one in schema.get("properties", {}).items())


def test_no_component_has_a_name_that_clashes_in_a_client(file: dict[str, Any]) -> None:
    assert not {"NullEnum", "BlankEnum", "Record", "Error", "Answer", "Look"} & set(file["components"]["schemas"])


def test_every_component_is_used(file: dict[str, Any]) -> None:
    used = set(re.findall(rb'"#/components/schemas/(\w+)"', openapi.as_json()))
    assert {name.encode() for name in file["components"]["schemas"]} == used


def test_the_data_of_every_reply_is_a_component(file: dict[str, Any]) -> None:
    data = {name: one for name, one in fields(file) if name.endswith("Reply.data")}
    assert len(data) > 50
    assert not [name for name, one in data.items() if "$ref" not in one]


def test_a_part_that_may_be_null_is_a_reference_or_null(file: dict[str, Any]) -> None:
    parts = dict(fields(file))
    assert parts["MovedVisit.because"]["anyOf"] == [{"$ref": "#/components/schemas/MoveReason"}, {"enum": [None]}]
    assert parts["Appointment.doctor"]["anyOf"] == [{"$ref": "#/components/schemas/Colleague"}, {"enum": [None]}]
    assert not [name for name, one in parts.items() if one.get("nullable") and ("type" not in one or "allOf" in one)]


def test_a_parameter_shares_its_choices_with_the_reply(file: dict[str, Any]) -> None:
    parameters = {one["name"]: one["schema"] for one in file["paths"]["/appointments"]["get"]["parameters"]}
    assert parameters["status"]["items"] == {"$ref": "#/components/schemas/AppointmentStatus"}


def test_the_details_of_a_refusal_list_their_keys(file: dict[str, Any]) -> None:
    details = file["components"]["schemas"]["ErrorDetails"]["properties"]
    assert {"reason", "field", "errors", "allowed", "alternatives", "survivor_id", "required_scope", "missing_steps"} <= set(
        details
    )


def test_the_objects_in_the_details_of_a_refusal_are_those_of_replies(file: dict[str, Any]) -> None:
    details = file["components"]["schemas"]["ErrorDetails"]["properties"]
    shared = {"alternatives": "Alternative", "clashes": "Clash", "alerts": "VisitAlert"}
    assert {name: details[name]["items"]["$ref"].rpartition("/")[2] for name in shared} == shared
    assert not [name for name, one in details.items() if one.get("items", {}).get("type") == "object"]


def test_every_choice_is_a_shared_component(file: dict[str, Any]) -> None:
    choices = [(name, one.get("items", one)) for name, one in fields(file) if not name.endswith(".success")]
    assert not [name for name, one in choices if one.get("enum")]
    assert "" in file["components"]["schemas"]["CodeSystemOrBlank"]["enum"]


def test_choices_that_only_parameters_offer_are_components_too(file: dict[str, Any]) -> None:
    operations = [operation for methods in file["paths"].values() for operation in methods.values()]
    parameters = [one for operation in operations for one in operation.get("parameters", ())]
    assert len(parameters) > 100
    assert not [one for one in parameters if "enum" in one["schema"].get("items", one["schema"])]
    assert file["components"]["schemas"]["PatientStatus"]["enum"] == ["active", "inactive"]


def test_lengths_by_type_and_demographics_state_what_the_server_refuses(file: dict[str, Any]) -> None:
    parts = dict(fields(file))
    lengths = parts["ScheduleBody.visit_lengths"]
    assert set(lengths["properties"]) == set(file["components"]["schemas"]["AppointmentType"]["enum"])
    assert lengths["additionalProperties"] is False
    for body in ("PatientBody", "AmendPatientBody"):
        assert parts[f"{body}.demographics"] == {"$ref": "#/components/schemas/DemographicsBody"}
        assert {"enum": [None]} in parts[f"{body}.contact"]["anyOf"]


def test_the_values_of_a_dictionary_share_their_choices(file: dict[str, Any]) -> None:
    by_column = file["components"]["schemas"]["MergeBody"]["properties"]["fields"]
    assert by_column["additionalProperties"] == {"$ref": "#/components/schemas/MergeRecord"}


def test_each_step_of_a_consultation_has_its_own_data(file: dict[str, Any]) -> None:
    schemas = file["components"]["schemas"]
    for step, fields_of_step in SCHEMAS.items():
        if fields_of_step:
            name = "".join(word.capitalize() for word in step.wire_name.split("_"))
            assert schemas["StepData"]["properties"][step.wire_name] == {"$ref": f"#/components/schemas/{name}Step"}
            assert set(fields_of_step) <= set(schemas[f"{name}Content"]["properties"])
            assert set(fields_of_step) <= set(schemas["StepDataBody"]["properties"])
    assert schemas["FollowUpBody"]["properties"]["appointment_type"]["anyOf"][0] == {
        "$ref": "#/components/schemas/AppointmentType"
    }
    assert set(schemas["AppointmentType"]["enum"]) == set(cast("Any", _NEXT["appointment_type"]).words)


def test_the_details_of_a_chart_entry_are_those_of_its_type(file: dict[str, Any]) -> None:
    sent, shown = (set(file["components"]["schemas"][name]["properties"]) for name in ("DetailBody", "Detail"))
    known = {field.name for kind in DETAILS.values() for field in dataclasses.fields(kind)}
    assert sent == known
    assert shown == known | {"value", "unit", "retraction_reason"}


def test_fields_can_take_every_key_out_of_a_resource_but_none_out_of_its_envelope(file: dict[str, Any]) -> None:
    schemas, reads = file["components"]["schemas"], 0
    for methods in file["paths"].values():
        read = methods.get("get", {})
        if any(one["name"] == "fields" for one in read.get("parameters", ())):
            reply = schemas[read["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]
            name = reply["properties"]["data"]["$ref"].rpartition("/")[2]
            assert {"success", "data"} == set(reply["required"])
            assert ("required" in schemas[name]) == name.endswith("Data"), name
            reads += 1
    assert reads > 30
    for name in ("Patient", "PatientRow", "Contact", "Appointment", "Colleague", "Version"):
        assert "required" not in schemas[name]
    assert {"id", "mrn", "contact"} <= set(schemas["Patient"]["x-required-without-fields"])


def test_a_read_states_that_it_ignores_if_match(file: dict[str, Any]) -> None:
    reads, writes = 0, 0
    for methods in file["paths"].values():
        for method, operation in methods.items():
            for header in (one for one in operation.get("parameters", ()) if one["name"] == "If-Match"):
                is_read = method == "get"
                assert ("pattern" in header["schema"]) != is_read, operation["operationId"]
                assert header["description"].startswith("Ignored") == is_read, operation["operationId"]
                reads, writes = reads + is_read, writes + (not is_read)
    assert reads > 10
    assert writes > 20
