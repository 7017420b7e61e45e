"""The audit log: thirty actions by different people, thirty rows; and nothing secret in any of them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import Session, User
from apps.audit.models import AuditEvent
from apps.audit.sealing import seals
from apps.audit.verification import verifier
from apps.patients.models import Patient
from hims.tests import factories

pytestmark = pytest.mark.django_db

ANN = {"first_name": "Ann", "last_name": "Lee", "date_of_birth": "1990-01-31", "gender": "female"}
PATIENTS = "/admin/patients/patient/"
CHART_PAGE, TRAIL_PAGE = "/admin/patients/chartentry/", "/admin/audit/auditevent/"
SECRETS = ("correct-horse-battery-staple", "Wr0ng-pass-word!", "hims_test_k9Qw7ZxV3bN8mL2p", "918273", "sesame-cookie-value")


@dataclass(frozen=True)
class Row:
    """What an audit row must contain."""

    action: str
    by: str = ""  # a role of the ward; empty for a stranger
    patient: UUID | None = None
    outcome: str = "success"
    door: str = "api"
    also: str = ""  # the action of a second row: the page shows two things


def people(staff: dict[str, User]) -> tuple[dict[str, factories.ApiClient], dict[str, Client]]:
    """Everybody signed in, over the API and at the desk."""
    return {role: factories.api_client(user) for role, user in staff.items()}, {
        role: factories.browser(user) for role, user in staff.items()
    }


def actions(staff: dict[str, User], api: dict[str, factories.ApiClient], page: dict[str, Client]) -> Iterator[Row]:
    """Does one action after another, and yields the expected audit row of each."""
    john, other = factories.register_patient(), factories.register_patient("Mia", "Roe")
    entry = factories.chart(john)
    chart = f"/patients/{john.pk}/medical-history"
    yield Row("start")  # from here on they are counted
    api["nurse"].get("/patients?search=doe")
    yield Row("patient.searched", "nurse")
    api["nurse"].get(f"/patients/{john.pk}")
    yield Row("patient.read", "nurse", john.pk)
    api["pharmacist"].get(chart)
    yield Row("chart.read", "pharmacist", john.pk)
    api["doctor"].get(f"{chart}/{entry.pk}")
    yield Row("chart.read", "doctor", john.pk)
    api["doctor"].post(chart, {"type": "diagnosis", "display": "Asthma"})
    yield Row("chart.recorded", "doctor", john.pk)
    api["doctor"].post(f"{chart}/{entry.pk}/retract", {"reason": "Wrong patient"})
    yield Row("chart.retracted", "doctor", john.pk)
    api["receptionist"].post("/patients", ANN)
    ann = Patient.objects.get(first_name="Ann")
    yield Row("patient.registered", "receptionist", ann.pk)
    api["receptionist"].put(f"/patients/{ann.pk}", {"address": {"city": "Here"}})
    yield Row("patient.updated", "receptionist", ann.pk)
    api["billing"].put(f"/patients/{ann.pk}", {"insurance": {"provider": "Blue Cross"}})
    yield Row("patient.updated", "billing", ann.pk)
    api["receptionist"].post(f"/patients/{ann.pk}/deactivate")
    yield Row("patient.deactivated", "receptionist", ann.pk)
    api["admin"].post(f"/patients/{ann.pk}/reactivate")
    yield Row("patient.reactivated", "admin", ann.pk)
    api["receptionist"].post("/patients/match", ANN)
    yield Row("patient.matched", "receptionist")
    api["admin"].get(f"/patients/{other.pk}/merge-preview?into={john.pk}")
    yield Row("patient.merge_previewed", "admin", other.pk)
    api["admin"].get("/audit-events")
    yield Row("trail.searched", "admin")
    api["admin"].get("/audit-events/verify")
    yield Row("trail.verified", "admin")
    # refused
    api["manager"].get("/consultations")
    yield Row("consultation.list", "manager", outcome="denied")
    api["lab_technician"].post("/patients", ANN)
    yield Row("patient.create", "lab_technician", outcome="denied")
    api["receptionist"].get(chart)
    yield Row("chart.list", "receptionist", john.pk, outcome="denied")
    api["nurse"].get("/audit-events")
    yield Row("trail.list", "nurse", outcome="denied")
    page["nurse"].get(reverse("admin:accounts_user_add"))
    yield Row("page.refused", "nurse", outcome="denied", door="admin")
    # coming and going
    factories.api_client().post("/auth/login", {"username": "nurse.ward", "password": "not this one"})
    yield Row("session.refused", outcome="denied")
    Client().post("/admin/login/", {"username": "nobody", "password": "not this one"})
    yield Row("session.refused", outcome="denied")
    factories.api_client().post("/auth/login", {"username": "doctor.ward", "password": factories.PASSWORD})
    yield Row("session.started", "doctor")
    api["lab_technician"].post("/auth/logout")
    yield Row("session.ended", "lab_technician")
    factories.browser(staff["billing"])
    yield Row("session.started", "billing", door="admin")
    page["manager"].post("/admin/logout/")
    yield Row("session.ended", "manager", door="admin")
    # at the desk
    page["receptionist"].get(PATIENTS)
    yield Row("patient.searched", "receptionist", door="admin")
    page["doctor"].get(f"{PATIENTS}{john.pk}/change/")
    yield Row("patient.read", "doctor", john.pk, door="admin", also="chart.read")  # the summary shows the chart
    page["doctor"].get(f"{PATIENTS}{john.pk}/details/")
    yield Row("patient.read", "doctor", john.pk, door="admin")
    page["doctor"].get(f"/admin/patients/chartentry/?patient={john.pk}")
    yield Row("chart.read", "doctor", john.pk, door="admin")
    page["admin"].get(f"{PATIENTS}{john.pk}/history/")
    yield Row("patient.history_read", "admin", john.pk, door="admin")
    page["admin"].get(f"/admin/accounts/user/{staff['nurse'].pk}/change/")
    yield Row("staff.read", "admin", door="admin")


def test_thirty_acts_by_different_people_are_thirty_rows(staff: dict[str, User]) -> None:
    script = actions(staff, *people(staff))
    next(script)
    before, wrong, done = set(AuditEvent.objects.values_list("pk", flat=True)), [], 0
    for expected in script:
        new = list(AuditEvent.objects.exclude(pk__in=before))
        before |= {row.pk for row in new}
        user = staff[expected.by].pk if expected.by else None
        rows = [(row.action, row.user_id, row.role, row.outcome, row.patient_id, row.detail.get("door", "api")) for row in new]
        asked = [
            (action, user, expected.by, expected.outcome, expected.patient, expected.door)
            for action in (expected.action, expected.also)
            if action
        ]
        if Counter(rows) != Counter(asked):
            wrong.append(f"{asked}: {rows}")
        wrong += [f"{row.action} has no address or no request id" for row in new if not (row.ip and row.request_id)]
        done += 1
    assert not wrong, "\n".join(wrong)
    assert done >= 30
    seals.seal()
    assert verifier.verify(by=SYSTEM).intact


def kept() -> str:
    """Returns every column of every row of the audit log and the outbox, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, E'\n') FROM audit_auditevent t")
        (trail,) = cursor.fetchone()
        cursor.execute("SELECT string_agg(t::text, E'\n') FROM events_outboxevent t")
        (outbox,) = cursor.fetchone()
    return f"{trail}\n{outbox}"


def test_no_secret_gets_into_the_trail_or_the_outbox(staff: dict[str, User]) -> None:
    """Passwords, tokens, codes and keys, in bodies, queries, paths' parameters, headers and cookies, well and badly placed."""
    one, two, key, code, cookie = SECRETS
    john = factories.register_patient()
    signed_in = (
        factories.api_client()
        .post("/auth/login", {"username": "admin.ward", "password": factories.PASSWORD})
        .json()["data"]["tokens"]
    )
    admin = factories.ApiClient(Client(), signed_in["access_token"])
    tokens = factories.api_client().post("/auth/refresh", {"refresh_token": signed_in["refresh_token"]}).json()["data"]["tokens"]
    factories.api_client().post("/auth/refresh", {"refresh_token": signed_in["refresh_token"]})  # spent: the session dies
    admin = factories.api_client(staff["admin"])
    for body in (
        {"username": "nurse.ward", "password": one, "mfa_code": code},
        {"username": "nobody", "password": two},
        {"username": "nurse.ward", "password": one, "api_key": key},
    ):
        factories.api_client().post("/auth/login", body)
    loose = [f"password={one}", f"token={tokens['access_token']}", f"api_key={key}", f"mfa_code={code}"]
    for query in loose:
        for path in ("/patients", f"/patients/{john.pk}", f"/patients/{john.pk}/medical-history", "/audit-events", "/doctors"):
            admin.get(f"{path}?{query}")
    headers = {"HTTP_X_API_KEY": key, "HTTP_COOKIE": f"sessionid={cookie}", "HTTP_USER_AGENT": f"probe {two}"}
    admin.get("/patients", **headers)
    factories.api_client(staff["manager"]).get("/consultations", **headers)
    admin.post("/patients", ANN | {"password": one, "phone": "+1-555-0123"})
    factories.api_client(staff["lab_technician"]).post("/patients", ANN | {"mfa_code": code})
    admin.put(f"/patients/{john.pk}", {"token": key, "notes": two})
    browser, nurse = factories.browser(staff["admin"]), factories.browser(staff["nurse"])
    for query in loose:
        for address in (PATIENTS, f"{PATIENTS}{john.pk}/change/", f"{CHART_PAGE}?patient={john.pk}", TRAIL_PAGE):
            browser.get(f"{address}{'&' if '?' in address else '?'}{query}")
        nurse.get(f"{reverse('admin:accounts_user_add')}?{query}")
    Client().post("/admin/login/", {"username": "nurse.ward", "password": two})
    own = {"password": one, "password1": one, "password2": one}
    browser.post(reverse("admin:accounts_user_set_password", args=[staff["nurse"].pk]), own)
    browser.post("/admin/password_change/", {"old_password": factories.PASSWORD, "new_password1": one, "new_password2": one})
    text = kept()
    assert text.count("\n") > 40
    secrets = (*SECRETS, factories.PASSWORD, *tokens_of(signed_in), *tokens_of(tokens), *sessions())
    leaked = [secret for secret in secrets if secret in text]
    assert not leaked, [line for line in text.split("\n") if any(secret in line for secret in leaked)][:5]


def tokens_of(pair: dict[str, Any]) -> list[str]:
    """The parts of both tokens that are secret: what follows the header."""
    return [part for name in ("access_token", "refresh_token") for part in pair[name].split(".")[1:]]


def sessions() -> list[str]:
    """The keys of the browsers' sessions. (Ids of API sessions are ids, and may stand there.)"""
    assert Session.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_key FROM django_session")
        return [key for (key,) in cursor.fetchall()]


def test_words_typed_into_a_search_stay_for_the_review(staff: dict[str, User]) -> None:
    factories.api_client(staff["nurse"]).get("/patients?search=famous%20neighbour")
    row = AuditEvent.objects.get(action="patient.searched")
    assert row.detail == {"query": {"search": "famous neighbour"}, "shown": 0}
