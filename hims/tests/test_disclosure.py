"""What leaves through an API key: its scopes are asked of every part of every reply, not at the door alone."""

from collections.abc import Iterator
from typing import Any

import pytest

from apps.access.permissions import Permission
from apps.access.scopes import Scope
from apps.accounts.models import User
from apps.notifications import services as notifications
from apps.patients.models import Patient
from apps.rest import disclosure, endpoint
from hims.tests import contracts, factories
from hims.tests.contracts import IDENTITY, STAFF_REPLIES, WRITES_WITHOUT_READ
from hims.tests.test_api_key_permissions import guarded
from hims.tests.test_contract import agree, file, strict
from hims.tests.test_matrix import row_of
from hims.tests.test_permissions import doors

pytestmark = pytest.mark.django_db
__all__ = ["file", "strict"]  # fixtures


def key(owner: User, *carried: str) -> factories.ApiClient:
    return factories.api_key_client(factories.create_api_key(owner, *carried).text)


def refusal(reply: Any) -> tuple[int, Any]:
    return reply.status_code, reply.json()["error"]["details"].get("required_scope")


@pytest.fixture
def patient(db: None) -> Patient:
    return factories.register_patient("Wanda", "Unmistakable", phone="+1 213 373 4253")


@pytest.fixture
def secrets(patient: Patient) -> list[str]:
    """What tells who the patient is."""
    return [*identity_of(patient), "373 4253"]


def identity_of(patient: Patient) -> list[str]:
    return [patient.first_name, patient.last_name, f"{patient.date_of_birth:%Y-%m-%d}", patient.mrn]


def tells(reply: Any, secrets: list[str]) -> list[str]:
    return [text for text in secrets if text in reply.content.decode()]


# Expansions


def test_an_expansion_takes_the_scope_of_what_it_shows(staff: dict[str, User], patient: Patient, secrets: list[str]) -> None:
    factories.book(patient, staff["doctor"], factories.at("10:00"))
    reader = key(staff["doctor"], "appointments:read")
    assert refusal(reader.get("/appointments?expand=patient")) == (403, "patients:read")
    plain = reader.get("/appointments?expand=doctor")
    assert plain.status_code == 200
    assert not tells(plain, secrets)
    both = key(staff["doctor"], "appointments:read", "patients:read").get("/appointments?expand=patient")
    assert both.json()["data"]["appointments"][0]["patient"]["mrn"] == patient.mrn


def expansions() -> Iterator[tuple[str, str, Permission, Permission]]:
    """Path, name, the door's need and the expansion's, of every expansion that a key can ask for."""
    for path, method, need in guarded():
        view = next(view for door, verb, _, view in doors() if (door, verb) == (path, method))
        if method == "get" and need.scope and "<" not in path:
            yield from ((path.removeprefix("v1"), name, need, one.permission) for name, one in view.expands.items())


def test_no_expansion_shows_a_key_more_than_its_scopes(staff: dict[str, User]) -> None:
    asked = list(expansions())
    assert {path for path, *_ in asked} >= {"/appointments", "/consultations", "/waitlist", "/queue"}
    for path, name, need, more in asked:
        door, wanted = need.scope, more.scope
        assert door
        shown = refusal(key(staff["nurse"], door).get(f"{path}?expand={name}")) if wanted != door else None
        assert shown in (None, (403, wanted)), (path, name)
        assert key(staff["nurse"], *Scope).get(f"{path}?expand={name}").status_code == 200


# Rows


def test_the_queue_names_patients_to_those_who_may_read_patients(
    strict: dict[str, Any], staff: dict[str, User], patient: Patient, secrets: list[str]
) -> None:
    factories.book_and_check_in(patient, staff["doctor"], 20)
    bare = key(staff["nurse"], "appointments:write").get("/queue")
    [row] = bare.json()["data"]["queue"]
    assert not tells(bare, secrets)
    assert "patient_name" not in row
    assert row["patient_id"] == str(patient.pk)
    whole = key(staff["nurse"], "appointments:write", "patients:read").get("/queue")
    agree(strict, whole, 200)
    assert tells(whole, ["Wanda", patient.mrn]) == ["Wanda", patient.mrn]


def test_a_notification_that_names_a_patient_shows_its_text_to_those_who_may_read_patients(
    staff: dict[str, User], secrets: list[str]
) -> None:
    notice = notifications.Notice(title="New appointment", message="Wanda Unmistakable: booked for Monday.")
    notifications.send(by=staff["admin"], notice=notice, ids=[staff["doctor"].pk])
    bare = key(staff["doctor"], "notifications:read").get("/notifications")
    assert bare.json()["data"]["notifications"][0]["title"] == "New appointment"
    assert not tells(bare, secrets)
    assert tells(key(staff["doctor"], "notifications:read", "patients:read").get("/notifications"), ["Wanda"])


# Replies to writes


def test_a_write_without_the_read_answers_the_id_alone(staff: dict[str, User]) -> None:
    rows = contracts.samples(staff)
    secrets = [text for patient in Patient.objects.all() for text in identity_of(patient)]
    declared = {row_of(path, method): (view, endpoint.of(view, action).permission) for path, method, action, view in doors()}
    assert len(WRITES_WITHOUT_READ) >= 8
    for operation, role in WRITES_WITHOUT_READ.items():
        view, need = declared[operation]
        assert isinstance(need, Permission)
        assert need.scope
        body = rows.bodies[operation]
        method = operation.partition(" ")[0]
        reply = key(staff[role], need.scope).call(method, rows.address(operation), body)
        assert reply.status_code in (200, 201), (operation, reply.content)
        assert set(reply.json()["data"][view.data_key or view.resource]) == {"id"}, operation
        assert not tells(reply, [*secrets, *(str(value) for value in (body or {}).values() if len(str(value)) > 3)]), operation
        assert len(reply.headers.get("ETag", '""')) >= 2


def test_a_write_with_the_read_answers_what_it_wrote(strict: dict[str, Any], staff: dict[str, User], patient: Patient) -> None:
    both = key(staff["receptionist"], "patients:read", "patients:write")
    shown = agree(strict, both.call("PATCH", f"/patients/{patient.pk}", {}), 200)["data"]["patient"]
    assert shown["demographics"]["first_name"] == "Wanda"
    assert "insurance" in shown


def test_a_series_and_a_bulk_move_show_a_writer_no_visits(staff: dict[str, User], patient: Patient) -> None:
    factories.publish(staff["doctor"])
    factories.book(patient, staff["doctor"], factories.at("11:00"))
    writer, day = key(staff["receptionist"], "appointments:write"), f"{factories.at('11:00'):%Y-%m-%d}"
    asked = {
        "patient_id": str(patient.pk),
        "doctor_id": str(staff["doctor"].pk),
        "scheduled_time": factories.at("14:00").isoformat(),
    }
    series = writer.post("/appointments/series", {**asked, "occurrences": 2})
    assert set(series.json()["data"]["series"]) == {"id"}
    plan = {"date_from": day, "date_to": day, "reason": "Ill"}
    moved = writer.post(f"/doctors/{staff['doctor'].pk}/move-appointments", plan)
    assert all(set(visit) <= {"appointment_id", "patient_id"} for visit in moved.json()["data"]["move"]["visits"])
    assert moved.json()["data"]["move"]["visits"]


# Warnings and refusals


def test_a_warning_of_a_duplicate_shows_candidates_to_those_who_may_read_patients(
    staff: dict[str, User], patient: Patient, secrets: list[str]
) -> None:
    twin = {
        "first_name": "Wanda",
        "last_name": "Unmistakable",
        "date_of_birth": f"{patient.date_of_birth:%Y-%m-%d}",
        "gender": patient.gender,
    }
    bare = key(staff["receptionist"], "patients:write").post("/patients", twin)
    [warning] = bare.json()["warnings"]
    assert (bare.status_code, set(warning), warning["code"]) == (201, {"code", "message"}, "possible_duplicate")
    assert not tells(bare, [*secrets, str(patient.pk)])
    whole = key(staff["receptionist"], "patients:write", "patients:read").post("/patients", twin)
    assert patient.mrn in str(whole.json()["warnings"])


def test_a_stale_write_shows_the_visit_as_it_is_to_those_who_may_read_it(staff: dict[str, User], patient: Patient) -> None:
    both = key(staff["doctor"], "consultations:read", "consultations:write")
    visit = both.post("/consultations", {"patient_id": str(patient.pk)}).json()["data"]["consultation"]["id"]
    step = {"step_number": 2, "step_data": {"chief_complaint": "Unmistakable pain"}}
    stale = {"HTTP_IF_MATCH": '"stale"'}
    assert both.call("PUT", f"/consultations/{visit}/step", step).status_code == 200
    details = both.call("PUT", f"/consultations/{visit}/step", step, **stale).json()["error"]["details"]
    assert "Unmistakable pain" in str(details["current"])
    writer = key(staff["doctor"], "consultations:write")
    bare = writer.call("PUT", f"/consultations/{visit}/step", step, **stale)
    assert (bare.status_code, "current" in bare.json()["error"]["details"]) == (412, False)
    assert "Unmistakable" not in bare.content.decode()
    tag = writer.call("PUT", f"/consultations/{visit}/step", step).headers["ETag"]
    assert writer.call("PUT", f"/consultations/{visit}/step", step, HTTP_IF_MATCH=tag).status_code == 200


def test_a_conflict_offers_free_times_to_users_who_may_read_schedules(staff: dict[str, User], patient: Patient) -> None:
    factories.publish(staff["doctor"])
    factories.book(patient, staff["doctor"], factories.at("10:00"))
    asked = {
        "patient_id": str(factories.register_patient().pk),
        "doctor_id": str(staff["doctor"].pk),
        "scheduled_time": factories.at("10:00").isoformat(),
    }
    bare = key(staff["nurse"], "appointments:write").post("/appointments", asked)
    assert (bare.status_code, "alternatives" in bare.json()["error"]["details"]) == (409, False)
    whole = key(staff["nurse"], "appointments:write", "appointments:read").post("/appointments", asked)
    assert len(whole.json()["error"]["details"]["alternatives"]) == 3


def test_people_see_what_their_role_shows_whatever_scopes_there_are(staff: dict[str, User], patient: Patient) -> None:
    receptionist_api = factories.api_client(staff["receptionist"])
    assert receptionist_api.call("PATCH", f"/patients/{patient.pk}", {}).json()["data"]["patient"]["demographics"]
    assert receptionist_api.get("/appointments?expand=patient").status_code == 200


# The whole API


def identities(kind: Any, right: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of a shape that says who a patient is, and the right that a key must carry to see it."""
    right = getattr(kind, "reads", None) or right
    parts, inner = getattr(kind, "parts", {}), disclosure.nested(kind)
    for name in getattr(kind(), "fields", {}):
        if name in inner:
            yield from identities(inner[name], right, f"{at}{name}.")
        elif name in IDENTITY and kind.__name__ not in STAFF_REPLIES:
            yield f"{at}{name}", parts.get(name, right)


def test_nothing_that_says_who_a_patient_is_leaves_without_the_scope_to_read_patients() -> None:
    checked, wrong = 0, []
    for path, method, need in guarded():
        view, action = next((view, action) for door, verb, action, view in doors() if (door, verb) == (path, method))
        if need.scope is None or endpoint.of(view, action).response is None:
            continue
        default = need if method == "get" else disclosure.permission_to_read(view, action)
        for name, right in identities(endpoint.of(view, action).response, default):
            checked += 1
            if right.scope != Scope.PATIENTS_READ:
                wrong.append(f"{method} {path}: {name} takes {right}")
    assert checked > 100
    assert not wrong, "\n".join(wrong)


def test_the_openapi_file_says_what_a_key_is_not_shown(file: dict[str, Any]) -> None:
    descriptions = {
        path: file["paths"][path][method]["description"] for path, method in (("/patients", "post"), ("/queue", "get"))
    }
    assert "Without `patients:read` as well, the reply contains only the id." in descriptions["/patients"]
    assert "Without `patients:read` as well, the reply lacks `patient_name` and `mrn`." in descriptions["/queue"]
    assert "Without" not in file["paths"]["/patients"]["get"]["description"]
