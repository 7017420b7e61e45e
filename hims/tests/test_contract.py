"""The OpenAPI file is valid, and the examples of the reference and the replies of the API fit it."""

import copy
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker
from openapi_spec_validator import OpenAPIV30SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from apps.accounts.models import User
from apps.appointments.tests import factories as appointments
from apps.common.errors import CATALOGUE, HimsError
from apps.developers.contract import openapi
from apps.developers.pages import error_advice
from apps.notifications.api import examples as notification_examples
from apps.patients.api import examples
from apps.patients.api.serializers.requests import PLACES, REGISTRATION
from apps.rest.schema import components
from apps.rest.schema.components import EVERYWHERE
from hims.tests import factories

GENERAL_REASONS = {entry.code: entry.reasons for entry in error_advice.catalogue()}
METHODS = ("get", "put", "post", "patch", "delete")
REFERENCE_SERVERS = [
    "https://api.hims.arocord.com/v1",
    "https://api-staging.hims.arocord.com/v1",
    "https://api-dev.hims.arocord.com/v1",
    "https://api-sandbox.hims.arocord.com/v1",
]
FILE = "urn:hims"


@pytest.fixture(scope="module")
def file() -> dict[str, Any]:
    return openapi.as_dict()


@pytest.fixture(scope="module")
def strict(file: dict[str, Any]) -> dict[str, Any]:
    """The file with every object closed, so that an undeclared key is seen, and what only `fields` takes out required."""
    closed = copy.deepcopy(file)
    for schema in objects(closed["components"]["schemas"]):
        schema.setdefault("additionalProperties", False)
        if required := [*schema.get("required", ()), *schema.get("x-required-without-fields", ())]:
            schema["required"] = required
    return closed


def objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "object" and "properties" in node:
            yield node
        for inner in node.values():
            yield from objects(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from objects(inner)


def operations(file: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in file["paths"].items():
        yield from ((path, method, methods[method]) for method in METHODS if method in methods)


def resolve(file: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    part: Any = file
    for name in node["$ref"].removeprefix("#/").split("/"):
        part = part[name]
    return part


def faults(file: dict[str, Any], schema: dict[str, Any], value: Any, kind: Any = OAS30ReadValidator) -> list[str]:
    """What a value of this schema gets wrong."""
    absolute = {name: f"{FILE}{to}" if name == "$ref" else to for name, to in schema.items()}
    registry = Registry().with_resource(FILE, Resource.from_contents(file, default_specification=DRAFT4))
    problems = kind(absolute, registry=registry, format_checker=oas30_format_checker).iter_errors(value)
    return [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in problems]


def declared(file: dict[str, Any], method: str, path: str, status: int) -> dict[str, Any]:
    """What the file says about this answer. A 405 belongs to no operation, so no operation of the file has it."""
    if status == 405:
        reply = components.responses()["MethodNotAllowed"]
        return reply | {"headers": {name: components.declared_headers()[name] for name in reply["headers"]}}
    operation = operation_of(file, method, path)
    assert operation, f"{method} {path} is not in the file"
    assert str(status) in operation["responses"], f"{method} {path} answers {status}, which the file does not know"
    return resolve(file, operation["responses"][str(status)])


def operation_of(file: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    """The operation that a request reaches: the most literal path that fits."""
    by_length = sorted(file["paths"].items(), key=lambda one: -len(re.sub(r"{\w+}", "", one[0])))
    fitting = (methods for template, methods in by_length if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path))
    return next((methods[method] for methods in fitting if method in methods), None)


def agree(file: dict[str, Any], response: Any, status: int) -> dict[str, Any]:
    """Asserts that the reply has this status, and the headers and the body that the file declares. Returns the body."""
    path = response.request["PATH_INFO"].removeprefix("/v1")
    assert response.status_code == status, response.content
    declared_reply = declared(file, response.request["REQUEST_METHOD"].lower(), path, status)
    for name, header in declared_reply["headers"].items():
        if name not in response.headers and not resolve(file, header)["required"]:
            continue
        assert name in response.headers, f"{path} {status} sends no {name}"
        schema, text = resolve(file, header)["schema"], response.headers[name]
        assert not faults(file, schema, int(text) if schema["type"] == "integer" else text), f"{name}: {text}"
    (kind,) = declared_reply["content"]
    assert response.headers["Content-Type"].partition(";")[0] == kind
    if kind != "application/json":  # a file
        assert declared_reply["content"][kind]["schema"] == {"type": "string", "format": "binary"}
        assert response.content
        return {}
    body = response.json()
    assert body["success"] is (status < 400)
    assert not faults(file, declared_reply["content"]["application/json"]["schema"], body), body
    if status >= 400:
        error, own = body["error"], listed_reasons(file, response.request["REQUEST_METHOD"].lower(), path)
        assert error["details"]["reason"] in {*GENERAL_REASONS[error["code"]], *own}, f"{path} does not list {error['details']}"
    return body


def listed_reasons(file: dict[str, Any], method: str, path: str) -> list[str]:
    """The reasons that the operation lists as its own; none of a method that the path does not have."""
    operation = operation_of(file, method, path)
    return operation.get("x-reasons", []) if operation else []


def test_the_file_is_valid_openapi(file: dict[str, Any]) -> None:
    assert file["openapi"].startswith("3.0")
    OpenAPIV30SpecValidator(file).validate()


def test_making_the_file_gives_no_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))


@pytest.mark.django_db
def test_all_callers_may_read_the_file_in_both_forms(file: dict[str, Any]) -> None:
    as_json, as_yaml = factories.api_client().get("/openapi.json"), factories.api_client().get("/openapi.yaml")
    assert as_json.headers["Content-Type"] == "application/json"
    assert as_json.json() == file
    assert as_yaml.headers["Content-Type"] == "application/yaml"
    assert yaml.safe_load(as_yaml.content) == file
    assert factories.api_client().get("/openapi.yaml", HTTP_ACCEPT="application/yaml").status_code == 200
    assert factories.api_client().get("/openapi.json", HTTP_ACCEPT="application/yaml").json()["error"]["code"] == "NOT_ACCEPTABLE"
    assert factories.api_client().get("/openapi.json?colour=red").json()["error"]["code"] == "VALIDATION_ERROR"


def test_the_servers_are_those_of_the_reference(file: dict[str, Any]) -> None:
    urls = [server["url"] for server in file["servers"]]
    assert urls == [f"{settings.HIMS_BASE_URL}/v1", *REFERENCE_SERVERS]
    assert not any(path.startswith("/v1") for path in file["paths"])


def test_every_operation_has_a_name_of_its_own_and_says_who_may_and_how_often(file: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(file)]
    assert len(set(names)) == len(names)
    assert {"login", "listPatients", "createPatient", "getPatient", "updatePatient", "listMedicalHistory"} <= set(names)
    for path, method, operation in operations(file):
        assert re.fullmatch(r"[a-z]+([A-Z][a-z0-9]*)*", operation["operationId"])
        assert "**Who:**" in operation["description"], f"{method} {path}"
        assert operation["x-rate-limit"]["class"] in operation["description"]
        assert (operation["security"] == []) == ("x-roles" not in operation), f"{method} {path}"


def test_every_operation_tells_every_status_and_every_header(file: dict[str, Any]) -> None:
    for path, method, operation in operations(file):
        replies = operation["responses"]
        expected = {"400", "401", "406", "429", "500", "503"}
        expected |= {"404"} if "{" in path else set()
        expected |= {"403"} if operation["security"] else set()
        expected |= {"408", "413", "415"} if "requestBody" in operation else set()
        expected |= {"409"} if operation["security"] and method != "get" else set()
        expected |= ON_PURPOSE.get(f"{method} {path}", set())
        headers = {one["name"] for one in operation.get("parameters", []) if one["in"] == "header"}
        expected |= {"422"} if "Idempotency-Key" in headers else set()
        expected |= {"412", "428"} if "If-Match" in headers else set()
        assert ("304" in replies) == ("If-None-Match" in headers), f"{method} {path}"
        assert {status for status in replies if status >= "400"} == expected, f"{method} {path}"
        for status, reply in replies.items():
            assert set(EVERYWHERE) <= set(resolve(file, reply)["headers"]), f"{method} {path} {status}"


def test_every_code_of_the_catalogue_is_in_the_file(file: dict[str, Any]) -> None:
    assert file["components"]["schemas"]["ErrorCode"]["enum"] == [kind.code for kind in CATALOGUE]
    replies = {name: reply for name, reply in components.responses().items() if name != "NotModified"}
    assert len(replies) == len(CATALOGUE)
    assert set(replies) - set(file["components"]["responses"]) == {"MethodNotAllowed", "Gone"}  # no operation's: see declared
    for reply in replies.values():
        assert not faults(file, reply["content"]["application/json"]["schema"], reply["content"]["application/json"]["example"])


ON_PURPOSE = {"post /patients/break-glass": {"404"}, "get /audit-events/verify": {"409"}}  # statuses by declared refusals
DESK_AND_COMMANDS = {  # refusals of what the API does not offer
    "already_reviewed",
    "already_saved",
    "already_settled",
    "changed_since_read",
    "matches_not_reviewed",
    "merge_already_requested",
    "newer_release_loaded",
    "not_dead_lettered",
    "not_in_sandbox",
    "not_owned_by_survivor",
    "own_emergency_access",
    "own_entry",
    "retired",
    "room_exists",
    "series_full",
    "stale",
    "still_named",
    "unreviewed_matches",
}


def kinds_of(kind: type[HimsError]) -> Iterator[type[HimsError]]:
    for inner in kind.__subclasses__():
        yield inner
        yield from kinds_of(inner)


def test_every_reason_is_listed_where_it_can_be_given(file: dict[str, Any]) -> None:
    listed = {reason for _, _, operation in operations(file) for reason in operation.get("x-reasons", [])}
    listed |= {reason for reasons in GENERAL_REASONS.values() for reason in reasons}
    ours = {
        kind.reason for kind in kinds_of(HimsError) if kind.__module__.startswith("apps.") and ".tests." not in kind.__module__
    }
    ours -= {kind.reason for kind in CATALOGUE}
    assert ours - listed <= DESK_AND_COMMANDS


def test_an_operation_explains_its_reasons_and_answers_their_status(file: dict[str, Any]) -> None:
    booking = file["paths"]["/appointments"]["post"]
    assert booking["x-reasons"][:2] == ["slot_taken", "overbooking_full"]
    assert "- 409 `slot_taken`: The doctor is already booked at that time." in booking["description"]
    assert "404" in file["paths"]["/patients/break-glass"]["post"]["responses"]


def test_success_tells_a_reply_from_a_refusal(file: dict[str, Any]) -> None:
    success_of = {
        name: one["properties"]["success"]
        for name, one in file["components"]["schemas"].items()
        if "success" in one.get("properties", {})
    }
    assert success_of.pop("ErrorReply")["enum"] == [False]
    assert len(success_of) > 50
    assert all(success["enum"] == [True] for success in success_of.values())


def test_the_file_states_what_a_body_and_a_parameter_take(file: dict[str, Any]) -> None:
    bodies = {name: one.get("properties", {}) for name, one in file["components"]["schemas"].items() if name.endswith("Body")}
    stated = {name: value for name, value in bodies["HoursBody"]["starts"].items() if name != "description"}
    assert stated == {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
    assert bodies["HoursBody"]["ends"]["pattern"] == "^((0[1-9]|1[0-9]|2[0-3]):[0-5][0-9]|00:(0[1-9]|[1-5][0-9])|24:00)$"
    assert bodies["ScheduleBody"]["hours"]["maxItems"] == 100
    assert (bodies["RetractBody"]["reason"]["minLength"], bodies["RetractBody"]["reason"]["maxLength"]) == (1, 400)
    assert "minLength" not in bodies["DemographicsBody"]["first_name"]
    assert (bodies["BookBody"]["patient_id"]["minLength"], bodies["BookBody"]["patient_id"]["maxLength"]) == (1, 64)
    assert re.fullmatch(bodies["DemographicsBody"]["date_of_birth"]["pattern"], "1980-05")
    assert not re.fullmatch(bodies["DemographicsBody"]["date_of_birth"]["pattern"], "1980-5-1")
    page = next(one for one in file["paths"]["/patients"]["get"]["parameters"] if one["name"] == "page")
    assert page["schema"]["maximum"] == 2**31


def test_the_reference_s_examples_fit_the_file(file: dict[str, Any]) -> None:
    shown = []
    for _, _, operation in operations(file):
        sides = [("request", operation.get("requestBody"), OAS30WriteValidator)]
        sides += [("reply", resolve(file, reply), OAS30ReadValidator) for reply in operation["responses"].values()]
        for side, content, kind in sides:
            media = (content or {}).get("content", {}).get("application/json", {})
            for example in media.get("examples", {}).values():
                shown.append((operation["operationId"], side))
                assert not faults(file, media["schema"], example["value"], kind), operation["operationId"]
    assert {("login", "request"), ("login", "reply"), ("refresh", "request"), ("listPatients", "reply")} <= set(shown)
    assert {("getPatient", "reply"), ("createPatient", "request")} <= set(shown)


def test_the_reference_s_error_is_the_file_s_example(file: dict[str, Any]) -> None:
    example = file["components"]["responses"]["Invalid"]["content"]["application/json"]["example"]
    assert example["error"] == {
        "code": "VALIDATION_ERROR",
        "doc_url": "https://api.hims.arocord.com/developers/errors#VALIDATION_ERROR",
        "message": "Invalid input data",
        "details": {"reason": "validation_error", "field": "email", "issue": "Invalid email format"},
        "timestamp": "2025-01-15T10:30:00Z",
        "request_id": "req_123456",
    }


@pytest.mark.parametrize(("body", "tree"), [("PatientBody", REGISTRATION), ("AmendPatientBody", PLACES)])
def test_a_patient_s_body_has_every_place_a_value_may_stand_in(file: dict[str, Any], body: str, tree: dict[str, Any]) -> None:
    def names(schema: dict[str, Any]) -> dict[str, Any]:
        inner = {
            name: resolve(file, field["anyOf"][0] if "anyOf" in field else field) for name, field in schema["properties"].items()
        }
        return {name: names(part) if "properties" in part else None for name, part in inner.items()}

    def places(tree: dict[str, Any]) -> dict[str, Any]:
        return {name: places(place) if isinstance(place, dict) else None for name, place in tree.items()}

    assert names(file["components"]["schemas"][body]) == places(tree)


@pytest.mark.django_db
def test_signing_in_and_out_answers_as_documented(strict: dict[str, Any], staff: dict[str, User]) -> None:
    stranger = factories.api_client()
    signed_in = agree(strict, stranger.post("/auth/login", {"username": "doctor.ward", "password": factories.PASSWORD}), 200)
    assert list(signed_in["data"]) == ["user", "tokens"]
    assert list(signed_in["data"]["user"]) == ["id", "username", "email", "role", "first_name", "last_name"]
    assert list(signed_in["data"]["tokens"]) == ["access_token", "refresh_token", "expires_in"]
    agree(strict, stranger.post("/auth/refresh", {"refresh_token": signed_in["data"]["tokens"]["refresh_token"]}), 200)
    agree(strict, stranger.post("/auth/refresh", {"refresh_token": "spent"}), 401)
    agree(strict, stranger.post("/auth/login", {"username": "doctor.ward", "password": "wrong"}), 401)
    agree(strict, stranger.post("/auth/login", {"username": "doctor.ward"}), 400)
    doctor = factories.api_client(staff["doctor"])
    assert list(agree(strict, doctor.get("/auth/me"), 200)["data"]) == ["user"]
    agree(strict, doctor.put("/auth/me", {"first_name": "Dora"}), 200)
    agree(strict, doctor.call("PATCH", "/auth/me", {"last_name": "Dorn"}), 200)
    agree(strict, doctor.put("/auth/me", {"email": staff["nurse"].email}), 409)
    agree(strict, doctor.post("/auth/logout"), 200)
    agree(strict, doctor.get("/auth/me"), 401)


@pytest.mark.django_db
def test_the_second_factor_passwords_and_sessions_answer_as_documented(strict: dict[str, Any], staff: dict[str, User]) -> None:
    nurse = factories.api_client(staff["nurse"])
    agree(strict, nurse.post("/auth/reauthenticate", {"password": factories.PASSWORD}), 200)
    agree(strict, nurse.post("/auth/reauthenticate", {"password": "wrong"}), 401)
    agree(strict, nurse.post("/auth/mfa/recovery-codes"), 409)
    totp = agree(strict, nurse.post("/auth/mfa/totp"), 200)["data"]["totp"]
    agree(strict, nurse.post("/auth/mfa/totp/confirm", {"code": "000000"}), 401)
    agree(strict, nurse.post("/auth/mfa/totp/confirm", {"code": factories.code(totp["secret"])}), 200)
    agree(strict, nurse.post("/auth/mfa/recovery-codes"), 200)
    credentials = {"username": "nurse.ward", "password": factories.PASSWORD}
    agree(strict, factories.api_client().post("/auth/login", credentials), 401)
    agree(
        strict,
        factories.api_client().post("/auth/login", credentials | {"mfa_code": factories.code(totp["secret"], steps=1)}),
        200,
    )
    listed = agree(strict, nurse.get("/auth/sessions"), 200)["data"]["sessions"]
    other = next(row["id"] for row in listed if not row["current"])
    agree(strict, nurse.call("DELETE", f"/auth/sessions/{other}"), 200)
    agree(strict, nurse.call("DELETE", f"/auth/sessions/{other}"), 409)
    agree(strict, nurse.call("DELETE", "/auth/sessions"), 200)
    agree(strict, nurse.call("DELETE", "/auth/mfa/totp"), 200)
    agree(strict, nurse.post("/auth/password/change", {"current_password": "wrong", "new_password": "x"}), 401)
    agree(strict, nurse.post("/auth/password/change", {"current_password": factories.PASSWORD, "new_password": "x"}), 400)
    agree(strict, factories.api_client().post("/auth/password/forgot", {"email": "nobody@hims.test"}), 200)
    agree(strict, factories.api_client().post("/auth/password/reset", {"token": "spent", "new_password": "x"}), 400)


@pytest.mark.django_db
def test_a_restricted_session_is_announced(strict: dict[str, Any], staff: dict[str, User], settings: Any) -> None:
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset({"nurse"})
    credentials = {"username": "nurse.ward", "password": factories.PASSWORD}
    signed_in = agree(strict, factories.api_client().post("/auth/login", credentials), 200)["data"]
    assert signed_in["mfa_enrollment_required"] is True
    agree(strict, factories.ApiClient(factories.api_client().client, signed_in["tokens"]["access_token"]).get("/auth/me"), 403)


@pytest.mark.django_db
def test_doctors_and_the_version_answer_as_documented(strict: dict[str, Any], staff: dict[str, User]) -> None:
    nurse = factories.api_client(staff["nurse"])
    agree(strict, factories.api_client().get("/version"), 200)
    listed = agree(strict, nurse.get("/doctors?search=family&limit=1"), 200)["data"]["doctors"]
    agree(strict, nurse.get(f"/doctors/{listed[0]['id']}"), 200)
    agree(strict, nurse.get(f"/doctors/{uuid.uuid4()}"), 404)
    agree(strict, nurse.get("/doctors?colour=red"), 400)
    agree(strict, factories.api_client(staff["manager"]).get("/doctors"), 200)


@pytest.mark.django_db
def test_patients_answer_as_documented(strict: dict[str, Any], staff: dict[str, User]) -> None:
    receptionist_api = factories.api_client(staff["receptionist"])
    registration = dict(examples.CREATE.request or {})
    made = receptionist_api.post("/patients", registration)
    patient = agree(strict, made, 201)["data"]["patient"]
    assert agree(strict, receptionist_api.get(made.headers["Location"].removeprefix("/v1")), 200)["data"]["patient"] == patient
    path = f"/patients/{patient['id']}"
    agree(strict, receptionist_api.post("/patients", registration), 409)
    twin = agree(strict, receptionist_api.post("/patients", {**registration, "mrn": "MRN-TWIN"}), 201)
    assert [warning["code"] for warning in twin["warnings"]] == ["possible_duplicate", "phone_not_valid"]
    agree(strict, receptionist_api.get("/patients?status=active&search=jane"), 200)
    agree(strict, receptionist_api.get("/patients?limit=0"), 400)
    agree(strict, receptionist_api.put(path, {"contact": {"address": None, "phone": "+1-202-555-0143"}}), 200)
    agree(strict, receptionist_api.call("PATCH", path, {"email": ""}), 200)
    agree(strict, receptionist_api.post("/patients/match", {**registration, "first_name": "Jnae"}), 200)
    agree(strict, receptionist_api.post("/patients/match", {**registration, "colour": "red"}), 400)
    other = {"other_id": twin["data"]["patient"]["id"]}
    agree(strict, receptionist_api.post(f"{path}/not-same", other), 200)
    agree(strict, receptionist_api.post(f"{path}/not-same", other), 409)
    agree(strict, receptionist_api.post(f"{path}/deactivate"), 200)
    agree(strict, receptionist_api.post(f"{path}/deactivate"), 409)
    agree(strict, receptionist_api.post(f"{path}/reactivate"), 200)
    for user in staff.values():
        agree(strict, factories.api_client(user).get(path), 200)


@pytest.mark.django_db
def test_a_reply_with_selected_fields_fits_the_file(file: dict[str, Any], staff: dict[str, User]) -> None:
    doctor = factories.api_client(staff["doctor"])
    path = f"/patients/{factories.register_patient().pk}"
    for address in (f"{path}?fields=id", f"{path}?fields=contact.phone", "/patients?fields=mrn", "/doctors?fields=id"):
        agree(file, doctor.get(address), 200)


@pytest.mark.django_db
def test_notifications_answer_as_documented(strict: dict[str, Any], staff: dict[str, User]) -> None:
    admin, nurse = factories.api_client(staff["admin"]), factories.api_client(staff["nurse"])
    body = dict(notification_examples.SEND.request or {}) | {"recipient_ids": [str(staff["nurse"].pk)]}
    for _ in range(2):
        made = admin.post("/notifications", body)
        sent = agree(strict, made, 201)["data"]["notification"]
        assert agree(strict, admin.get(made.headers["Location"].removeprefix("/v1")), 200)["data"]["notification"] == sent
    first = agree(strict, nurse.get("/notifications?limit=1"), 200)["data"]
    cursor = first["pagination"]["next_cursor"]
    agree(strict, nurse.get(f"/notifications?limit=1&cursor={cursor}"), 200)
    agree(strict, nurse.get("/notifications?priority=routine"), 400)
    agree(strict, nurse.put(f"/notifications/{first['notifications'][0]['id']}/read"), 200)
    agree(strict, nurse.put(f"/notifications/{uuid.uuid4()}/read"), 404)
    agree(strict, nurse.post("/notifications/read-all"), 200)
    agree(strict, nurse.post("/notifications", body), 403)
    agree(strict, admin.post("/notifications", body | {"recipient_ids": [str(uuid.uuid4())]}), 400)
    agree(strict, admin.get(f"/notifications/sent/{uuid.uuid4()}"), 404)
    printed = (notification_examples.LIST.reply or {})["data"]
    assert list(first["notifications"][0]) == list(printed["notifications"][0])
    assert list(first) == list(printed)


@pytest.mark.django_db
def test_a_chart_answers_as_documented(strict: dict[str, Any], staff: dict[str, User]) -> None:
    doctor, history = factories.api_client(staff["doctor"]), f"/patients/{factories.register_patient().pk}/medical-history"
    entry = {
        "type": "vital_sign",
        "code_system": "LOINC",
        "code": "29463-7",
        "display": "Body weight",
        "value": 98.4,
        "unit": "kg",
    }
    made = doctor.post(history, entry)
    record = agree(strict, made, 201)["data"]["record"]
    assert agree(strict, doctor.get(made.headers["Location"].removeprefix("/v1")), 200)["data"]["record"] == record
    agree(strict, doctor.post(history, {"type": "allergy", "no_known_allergies": True}), 201)
    agree(strict, doctor.get(f"{history}?type=vital_sign&offset=0&limit=1"), 200)
    agree(strict, doctor.get(f"{history}?page=1&offset=0"), 400)
    agree(strict, factories.api_client(staff["receptionist"]).get(history), 403)
    agree(strict, doctor.post(f"{history}/{record['id']}/retract", {"reason": "another patient"}), 200)
    agree(strict, doctor.post(f"{history}/{record['id']}/retract", {"reason": "again"}), 409)
    agree(strict, doctor.get(f"{history}?include_retracted=true"), 200)


@pytest.mark.django_db
def test_the_queue_answers_as_documented(strict: dict[str, Any], staff: dict[str, User]) -> None:
    nurse = factories.api_client(staff["nurse"])
    agree(strict, nurse.get("/queue"), 200)
    for name, clock_time in (("Ann", "09:00"), ("Bea", "10:00"), ("Cleo", "11:00")):
        visit = appointments.book(factories.register_patient(name), staff["doctor"], appointments.at(clock_time))
        agree(strict, nurse.post(f"/appointments/{visit.pk}/check-in"), 409)
        agree(strict, nurse.post(f"/appointments/{visit.pk}/check-in", {"early": True}), 200)
        agree(strict, nurse.post(f"/appointments/{visit.pk}/undo-check-in"), 200)
        agree(strict, nurse.post(f"/appointments/{visit.pk}/undo-check-in"), 409)
        agree(strict, nurse.post(f"/appointments/{visit.pk}/check-in", {"early": True}), 200)
    factories.start_consultation(staff["doctor"], visit.patient, appointment_id=visit.pk)
    data = agree(strict, nurse.get("/queue?limit=1&expand=patient,doctor"), 200)["data"]
    assert (data["pagination"]["total"], data["summary"]["waiting"], data["summary"]["in_progress"]) == (2, 2, 1)
    agree(strict, nurse.get("/queue?triage=soon"), 400)
    agree(strict, factories.api_client(staff["doctor"]).get(f"/queue?doctor_id={staff['nurse'].pk}"), 403)
    agree(strict, factories.api_client(staff["billing"]).get("/queue"), 403)


@pytest.mark.django_db
def test_series_moves_and_calendars_answer_as_documented(strict: dict[str, Any], staff: dict[str, User]) -> None:
    receptionist_api, doctor, patient = factories.api_client(staff["receptionist"]), staff["doctor"], factories.register_patient()
    appointments.publish(doctor)
    appointments.book(factories.register_patient("Ann", "Roe"), doctor, appointments.at(day=appointments.monday(2)))
    first = appointments.at().isoformat()
    asked = {"patient_id": str(patient.pk), "doctor_id": str(doctor.pk), "scheduled_time": first, "occurrences": 3}
    made = receptionist_api.post("/appointments/series", asked)
    series = agree(strict, made, 201)["data"]["series"]
    assert len(series["clashes"]) == 1
    address = made.headers["Location"].removeprefix("/v1")
    agree(strict, receptionist_api.get(address), 200)
    agree(strict, receptionist_api.post("/appointments/series", asked | {"occurrences": 1}), 400)
    visit = series["appointments"][0]["id"]
    agree(strict, receptionist_api.get(f"/appointments/{visit}.ics"), 200)
    agree(strict, receptionist_api.get(f"/appointments/{uuid.uuid4()}.ics"), 404)
    agree(strict, receptionist_api.get(f"/appointments/{visit}"), 200)
    days = {"date_from": appointments.monday().isoformat(), "date_to": appointments.monday().isoformat(), "reason": "Ill"}
    agree(strict, receptionist_api.post(f"/doctors/{doctor.pk}/move-appointments", days), 200)
    move = agree(strict, receptionist_api.post(f"/doctors/{doctor.pk}/move-appointments", days | {"dry_run": False}), 200)[
        "data"
    ]["move"]
    agree(strict, receptionist_api.get(f"/appointments/moves/{move['id']}"), 200)
    agree(strict, receptionist_api.post(f"/appointments/moves/{move['id']}/undo"), 200)
    agree(strict, receptionist_api.post(f"/appointments/moves/{move['id']}/undo"), 409)
    feed = f"/doctors/{doctor.pk}/calendar-feed"
    agree(strict, receptionist_api.get(feed), 200)
    url = agree(strict, receptionist_api.post(feed), 201)["data"]["calendar_feed"]["url"]
    agree(strict, factories.api_client().get(url.partition("/v1")[2]), 200)
    agree(strict, factories.api_client().get(f"/doctors/{doctor.pk}/calendar.ics?token=none"), 404)
    agree(strict, receptionist_api.call("DELETE", feed), 200)
    agree(strict, receptionist_api.post(f"{address}/cancel", {}), 200)


@pytest.mark.django_db
def test_the_detail_has_the_reference_s_keys(staff: dict[str, User]) -> None:
    patient = factories.api_client(staff["doctor"]).get(f"/patients/{factories.register_patient().pk}").json()["data"]["patient"]
    assert {"id", "mrn", "demographics", "contact", "emergency_contact", "insurance"} <= set(patient)
    assert {"first_name", "last_name", "date_of_birth", "gender"} <= set(patient["demographics"])
    assert list(patient["contact"]) == ["phone", "email", "address"]
    assert list(patient["contact"]["address"]) == ["street", "city", "state", "zip"]
    assert list(patient["emergency_contact"]) == ["name", "relationship", "phone"]
    assert list(patient["insurance"]) == ["provider", "policy_number", "group_number"]


@pytest.mark.django_db
def test_refusals_before_authentication_answer_as_documented(strict: dict[str, Any], staff: dict[str, User]) -> None:
    receptionist_api = factories.api_client(staff["receptionist"])
    agree(strict, factories.api_client().get("/patients"), 401)
    agree(strict, receptionist_api.call("DELETE", f"/patients/{factories.register_patient().pk}"), 405)
    agree(strict, receptionist_api.get("/patients", HTTP_ACCEPT="text/html"), 406)
    agree(strict, receptionist_api.post("/patients", "{"), 400)
    agree(strict, receptionist_api.call("POST", "/patients", {}, CONTENT_TYPE="text/plain"), 415)
    agree(strict, receptionist_api.post("/patients", "x" * (1024 * 1024 + 1)), 413)


@pytest.mark.django_db
def test_too_many_tries_answer_as_documented(strict: dict[str, Any]) -> None:
    credentials = {"username": f"nobody.{uuid.uuid4()}", "password": "wrong"}
    for _ in range(5):
        agree(strict, factories.api_client().post("/auth/login", credentials), 401)
    agree(strict, factories.api_client().post("/auth/login", credentials), 429)


@pytest.mark.django_db
@pytest.mark.parametrize(("failure", "status"), [(RuntimeError("unforeseen"), 500), (OperationalError("gone"), 503)])
def test_an_internal_error_answers_as_documented(
    strict: dict[str, Any], staff: dict[str, User], monkeypatch: pytest.MonkeyPatch, failure: Exception, status: int
) -> None:
    nurse = factories.api_client(staff["nurse"])

    def fail(**_: Any) -> None:
        raise failure

    monkeypatch.setattr("apps.accounts.selectors.doctors", fail)
    agree(strict, nurse.get("/doctors"), status)


def test_a_reply_with_an_undeclared_key_is_seen(strict: dict[str, Any]) -> None:
    reply = {"$ref": "#/components/schemas/LoggedOutReply"}
    assert not faults(strict, reply, {"success": True, "data": {"logged_out": True}})
    assert faults(strict, reply, {"success": True, "data": {"logged_out": True, "colour": "red"}})
    assert faults(strict, reply, {"success": True, "data": {}})
