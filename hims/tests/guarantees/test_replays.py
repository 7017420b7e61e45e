"""A repeated reply shows no secret again, and nothing that has since been closed to the caller."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine

from apps.accounts.models import ApiKey, User
from apps.audit.models import AuditEvent
from apps.common import clock, keyring
from apps.patients import services as patients
from apps.patients.models import Patient
from apps.patients.rights import Permission
from apps.rest import endpoint, idempotency, replays
from apps.rest.models import KeptReply
from hims.tests import factories
from hims.tests.guarantees.test_idempotency import as_action, is_replay_of, send
from hims.tests.test_permissions import doors

pytestmark = pytest.mark.django_db
WHY = "A colleague of ours is the patient"
SECRETS = {"key", "secret", "url", "otpauth_uri", "qr_svg", "recovery_codes", "access_token", "refresh_token"}
TWINS = {
    "kwame": {
        "first_name": "Kwame",
        "last_name": "Boateng",
        "date_of_birth": "1975-01-01",
        "gender": "male",
        "phone": "213-373-4911",
    }
}


def withheld(reply: Any, *hidden: str) -> dict[str, Any]:
    """Returns the refusal of a replay, which contains none of these texts."""
    assert reply.status_code == 409, reply.content
    error = reply.json()["error"]
    assert (error["code"], error["details"]["issue"], error["details"]["reason"]) == ("CONFLICT", *["replay_withheld"] * 2)
    assert "Idempotent-Replayed" not in reply.headers
    assert not [text for text in hidden if text in reply.content.decode()]
    return error["details"]


def close(patient_id: Any, staff: dict[str, User]) -> None:
    """Only the pharmacist sees the chart from now on."""
    team = [staff["pharmacist"].pk]
    patients.restrict(by=staff["admin"], patient_id=UUID(str(patient_id)), care_team=team, reason=WHY)


# Secrets


def test_the_text_of_a_key_is_not_shown_again_in_any_session(staff: dict[str, User]) -> None:
    body = {"name": "Night sync", "scopes": ["patients:read"]}
    made = send(factories.api_client(staff["nurse"]), where="/api-keys", body=body).json()["data"]["api_key"]
    for session in (factories.api_client(staff["nurse"]), factories.api_client(staff["nurse"])):
        withheld(send(session, where="/api-keys", body=body), made["key"], made["id"])
    assert ApiKey.objects.count() == 1
    rotated = send(factories.api_client(staff["nurse"]), where=f"/api-keys/{made['id']}/rotate", body=None).json()["data"][
        "api_key"
    ]
    withheld(send(factories.api_client(staff["nurse"]), where=f"/api-keys/{made['id']}/rotate", body=None), rotated["key"])
    assert factories.api_key_client(rotated["key"]).get("/patients").status_code == 200
    for row in KeptReply.objects.all():
        assert b"hims_test_" not in keyring.decrypt(row.sealed)


def test_the_address_of_a_calendar_is_not_shown_again(staff: dict[str, User]) -> None:
    where = f"/doctors/{staff['doctor'].pk}/calendar-feed"
    first = send(factories.api_client(staff["doctor"]), where=where, body=None)
    url = first.json()["data"]["calendar_feed"]["url"]
    withheld(send(factories.api_client(staff["doctor"]), where=where, body=None), url.partition("token=")[2])
    assert factories.api_client().get(url.partition("/v1")[2]).status_code == 200


def test_every_field_that_shows_a_secret_is_declared_as_shown_once() -> None:
    secret = {
        kind for _, _, action, view in doors() for kind in [endpoint.of(view, action).response] if kind and names(kind) & SECRETS
    }
    assert {kind.__name__ for kind in secret} >= {"MadeApiKeyShape", "MadeCalendarFeedShape", "TotpReplyShape", "SignedInShape"}
    assert [kind.__name__ for kind in secret if not replays.holds_secret(kind)] == []


def names(kind: Any) -> set[str]:
    inner = replays.disclosure.nested(kind).values()
    return set(getattr(kind(), "fields", {})).union(*(names(one) for one in inner))


# Charts that were closed meanwhile


def test_a_registration_is_not_shown_again_once_the_chart_is_closed(staff: dict[str, User]) -> None:
    receptionist_api = factories.api_client(staff["receptionist"])
    first = send(receptionist_api)
    assert is_replay_of(send(receptionist_api), first)
    close(first.json()["data"]["patient"]["id"], staff)
    withheld(send(receptionist_api), "Ann", "Lee", "1990-01-31", first.json()["data"]["patient"]["mrn"])
    assert Patient.objects.count() == 1
    row = AuditEvent.objects.get(action="patient.replay_withheld")
    assert (row.outcome, row.user_id, row.detail["why"]) == ("denied", staff["receptionist"].pk, "closed")


def test_a_warning_that_names_a_patient_is_not_shown_again_once_that_chart_is_closed(staff: dict[str, User]) -> None:
    receptionist_api, body = factories.api_client(staff["receptionist"]), TWINS["kwame"]
    twin = receptionist_api.post("/patients", body).json()["data"]["patient"]["id"]
    first = send(receptionist_api, body=body)
    assert first.json()["warnings"][0]["patients"][0]["id"] == twin
    close(twin, staff)
    withheld(send(receptionist_api, body=body), twin)


def test_a_reply_about_a_record_that_was_merged_into_a_closed_chart_is_not_shown_again(staff: dict[str, User]) -> None:
    receptionist_api = factories.api_client(staff["receptionist"])
    first = send(receptionist_api)
    retired, survivor = Patient.objects.get(pk=first.json()["data"]["patient"]["id"]), factories.register_patient("Annie", "Lee")
    factories.merge(retired, survivor)
    close(survivor.pk, staff)
    withheld(send(receptionist_api), "1990-01-31")


def clinical(staff: dict[str, User], patient: Patient) -> dict[str, tuple[str, str, Any]]:
    """One keyed POST for each kind of record: role, path and body."""
    mine = {"patient_id": str(patient.pk), "doctor_id": str(staff["doctor"].pk)}
    visit = factories.book(patient, staff["doctor"], factories.at("11:00"))
    day = f"{factories.at('11:00'):%Y-%m-%d}"
    return {
        "deactivate": ("receptionist", f"/patients/{patient.pk}/deactivate", None),
        "history": ("nurse", f"/patients/{patient.pk}/medical-history", {"type": "diagnosis", "display": "Asthma"}),
        "match": ("receptionist", "/patients/match", body_of(patient)),
        "appointment": ("receptionist", "/appointments", mine | {"scheduled_time": factories.at("10:00").isoformat()}),
        "confirm": ("receptionist", f"/appointments/{visit.pk}/confirm", None),
        "cancel": ("receptionist", f"/appointments/{visit.pk}/cancel", {"cancellation_reason": "Ill"}),
        "series": (
            "receptionist",
            "/appointments/series",
            mine | {"scheduled_time": factories.at("14:00").isoformat(), "occurrences": 2},
        ),
        "waitlist": ("receptionist", "/waitlist", {"patient_id": str(patient.pk), "date_from": day, "date_to": day}),
        "bulk move": (
            "receptionist",
            f"/doctors/{staff['doctor'].pk}/move-appointments",
            {"date_from": day, "date_to": day, "reason": "Ill"},
        ),
        "consultation": ("nurse", "/consultations", {"patient_id": str(patient.pk), "workflow_type": "quick"} | doctor_of(staff)),
    }


def doctor_of(staff: dict[str, User]) -> dict[str, str]:
    return {"doctor_id": str(staff["doctor"].pk)}


def body_of(patient: Patient) -> dict[str, str]:
    return {
        "first_name": patient.first_name,
        "last_name": patient.last_name,
        "date_of_birth": f"{patient.date_of_birth:%Y-%m-%d}",
        "gender": patient.gender,
    }


@pytest.mark.parametrize(
    "kind",
    [
        *("deactivate", "history", "match", "appointment", "confirm", "cancel", "series", "waitlist", "bulk move"),
        "consultation",
    ],
)
def test_no_record_of_a_closed_chart_is_shown_again(staff: dict[str, User], kind: str) -> None:
    factories.publish(staff["doctor"])
    patient = factories.register_patient()
    role, where, body = clinical(staff, patient)[kind]
    who = factories.api_client(staff[role])
    first = send(who, where=where, body=body)
    assert first.status_code in (200, 201), first.content
    assert is_replay_of(send(who, where=where, body=body), first)
    close(patient.pk, staff)
    withheld(send(who, where=where, body=body), "Asthma", patient.last_name)


def test_when_emergency_access_is_over_nothing_done_under_it_is_shown_again(staff: dict[str, User]) -> None:
    patient, start = factories.register_patient(), clock.now()
    close(patient.pk, staff)
    where, body = f"/patients/{patient.pk}/medical-history", {"type": "diagnosis", "display": "Asthma"}
    nurse = factories.api_client(staff["nurse"])
    assert nurse.post(f"/patients/{patient.pk}/break-glass", {"reason": "Unconscious in the waiting room"}).status_code == 200
    first = send(nurse, where=where, body=body)
    assert is_replay_of(send(nurse, where=where, body=body), first)
    with time_machine.travel(start + timedelta(hours=5), tick=False):
        withheld(send(factories.api_client(staff["nurse"]), where=where, body=body), "Asthma")


# Rights that were lost meanwhile


def test_a_key_that_lost_a_scope_is_not_shown_what_the_scope_showed(staff: dict[str, User]) -> None:
    made = factories.create_api_key(staff["receptionist"], "patients:read", "patients:write")
    first = send(factories.api_key_client(made.text))
    assert first.json()["data"]["patient"]["demographics"]
    ApiKey.objects.filter(pk=made.key.pk).update(scopes=["patients:write"])
    withheld(send(factories.api_key_client(made.text)), "Ann")
    ApiKey.objects.filter(pk=made.key.pk).update(scopes=["patients:read"])
    assert send(factories.api_key_client(made.text)).status_code == 403
    ApiKey.objects.filter(pk=made.key.pk).update(scopes=["patients:read", "patients:write", "history:read"])
    assert is_replay_of(send(factories.api_key_client(made.text)), first)


def test_where_the_administrator_no_longer_acts_clinically_nothing_clinical_is_shown_again(
    staff: dict[str, User], settings: Any
) -> None:
    settings.HIMS_ADMIN_CLINICAL = True
    boss = factories.api_client(staff["admin"])
    first = send(boss)
    assert "allergy_status" in first.json()["data"]["patient"]
    settings.HIMS_ADMIN_CLINICAL = False
    withheld(send(boss), "allergy_status")


def test_a_reply_kept_by_an_earlier_release_is_withheld_and_nothing_is_done_again(staff: dict[str, User]) -> None:
    receptionist_api = factories.api_client(staff["receptionist"])
    send(receptionist_api)
    KeptReply.objects.update(sealed=keyring.encrypt(b'{"Content-Type":"application/json"}\n{"data":{"key":"hims_test_0"}}'))
    withheld(send(receptionist_api), "hims_test_0")
    assert Patient.objects.count() == 1


# Replies in which no chart is shown.
WITHOUT_CHART = {
    *("v1/api-keys", "v1/api-keys/<str:pk>/rotate", "v1/users", "v1/users/<str:pk>/deactivate", "v1/users/<str:pk>/reactivate"),
    *("v1/users/<str:pk>/reset-mfa", "v1/users/<str:pk>/revoke-sessions", "v1/notifications", "v1/notifications/read-all"),
    *("v1/doctors/<str:pk>/calendar-feed", "v1/doctors/<str:pk>/time-off", "v1/pharmacy/drugs"),
}


def test_every_keyed_reply_that_shows_a_chart_names_its_patient() -> None:
    """The look finds patients by the ids in the path and the reply, so one of the two must name the patient."""
    keyed = {
        path: endpoint.of(view, action).response for path, method, action, view in doors() if is_keyed(path, method, action, view)
    }
    assert len(keyed) > len(WITHOUT_CHART)
    nameless = {path for path, kind in keyed.items() if "patients/<str:pk>" not in path and not names_a_patient(kind)}
    assert nameless - WITHOUT_CHART == set()
    assert set(keyed) >= WITHOUT_CHART


def is_keyed(path: str, method: str, action: str, view: Any) -> bool:
    return idempotency.accepts_key(as_action(view, action), method.upper(), f"/{path}")


def names_a_patient(kind: Any) -> bool:
    own = kind().fields
    if {"patient_id", "survivor_id"} & set(own) or getattr(kind, "reads", None) is Permission.PATIENT_VIEW:
        return True
    return any(names_a_patient(inner) for inner in replays.disclosure.nested(kind).values())
