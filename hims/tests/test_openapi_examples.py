"""Every example of a request works in the sandbox as it is printed.

Each is sent in a transaction that is rolled back. Three bodies have a secret of the moment (a refresh token, a code, the token of
a mailed link): the test puts a valid one in its place.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.accounts.services import passwords
from apps.appointments import services as appointments
from apps.appointments.models import Series
from apps.appointments.rules import TimeSpan
from apps.appointments.services import NewWaitlistEntry
from apps.appointments.waitlist.services import offers
from apps.common import clock, redis_client
from apps.common.ids import new_id
from apps.developers.contract import openapi
from apps.patients.models import ChartEntry, Patient
from apps.rest.schema.examples import Upcoming, printed
from apps.sandbox import services as sandbox
from apps.sandbox.samples.sample_ids import SAMPLE_IDS, fixed_id
from apps.sandbox.samples.staff import PASSWORD, RESTRICTED
from hims.tests import factories
from hims.tests.factories import ApiClient
from hims.tests.test_contract import agree

METHODS = ("put", "post", "patch", "delete")
SENDERS = {  # the others are sent by the administrator
    "startConsultation": "dr.smith",
    "updateConsultationStep": "dr.smith",
    "completeConsultation": "dr.smith",
    "addAddendum": "dr.smith",
    "handOverConsultation": "dr.smith",
    "markConsultationReady": "nurse.jones",
    "breakGlass": "dr.smith",
    "breakGlassByMrn": "dr.smith",
}
Body = dict[str, Any]


@pytest.fixture
def seeded(db: None) -> None:
    """A sandbox after a reset: with all its patients, and the MRNs that they get in every sandbox."""
    sandbox.reset(by=SYSTEM)


def client_of(username: str) -> ApiClient:
    signed_in = accounts.sign_in(username=username, password=PASSWORD, ip="127.0.0.1", user_agent="test")
    return ApiClient(Client(), signed_in.tokens.access_token)


def examples(file: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any], Any]]:
    """Every request of the file that has a body: its path, method, operation and printed body."""
    for path, methods in file["paths"].items():
        for method in METHODS:
            operation = methods.get(method, {})
            if "requestBody" in operation:
                shown = operation["requestBody"]["content"]["application/json"].get("examples", {})
                yield path, method, operation, shown["sandbox"]["value"] if shown else None


# Ids in a path that the sandbox has no name for.


def _series() -> dict[str, Any]:
    return {"id": Series.objects.get().pk}


def _chart_entry() -> dict[str, Any]:
    return {"entry": ChartEntry.objects.not_in_error().filter(patient=SAMPLE_IDS["patient_001"])[0].pk}


def _twin() -> dict[str, Any]:
    others = Patient.objects.filter(restricted=False, is_active=True, deceased_at=None).exclude(pk__in=SAMPLE_IDS.values())
    return {"id": others[0].pk}


def _restricted_chart() -> dict[str, Any]:
    return {"id": fixed_id(RESTRICTED)}


def _entry_with_an_offer() -> dict[str, Any]:
    """The waitlist entry of a patient who was offered a time."""
    wait = NewWaitlistEntry(
        patient_id=SAMPLE_IDS["patient_001"],
        doctor_id=SAMPLE_IDS["doctor_001"],
        date_to=clock.today() + timedelta(days=30),
        priority="urgent",
    )
    entry = appointments.add_to_waitlist(by=SYSTEM, new=wait)
    start = datetime.fromisoformat(Upcoming(at=time(15)).printed())
    span = TimeSpan(start, start + timedelta(minutes=15))
    assert offers.offer_freed_slot(
        by=SYSTEM, opening=new_id(), doctor_id=SAMPLE_IDS["doctor_001"], room_id=None, left=span, freed_at=clock.now()
    )
    return {"id": entry.pk}


IN_PATH: dict[str, Callable[[], dict[str, Any]]] = {
    "cancelSeries": _series,
    "retractChartEntry": _chart_entry,
    "mergePatient": _twin,
    "breakGlass": _restricted_chart,
    "acceptWaitlistOffer": _entry_with_an_offer,
    "declineWaitlistOffer": _entry_with_an_offer,
}


# Values of the moment, in place of the printed ones.


def _refresh_token(_: ApiClient) -> Body:
    signed_in = accounts.sign_in(username="nurse.jones", password=PASSWORD, ip="127.0.0.1", user_agent="test")
    return {"refresh_token": signed_in.tokens.refresh_token}


def _mailed_token(_: ApiClient) -> Body:
    link = passwords.create_password_link(user_id=User.objects.get(username="nurse.jones").pk)
    return {"token": link.partition("token=")[2]}


def _code_of_the_app(client: ApiClient) -> Body:
    return {"code": factories.code(client.post("/auth/mfa/totp").json()["data"]["totp"]["secret"])}


SECRETS: dict[str, Callable[[ApiClient], Body]] = {
    "refresh": _refresh_token,
    "resetPassword": _mailed_token,
    "confirmTotp": _code_of_the_app,
}


def path_of(template: str, operation: dict[str, Any]) -> str:
    """The path with the names of samples that the file prints, and with ids that the sandbox has no name for."""
    name = operation["operationId"]
    ids = {one["name"]: one["schema"]["example"] for one in operation.get("parameters", ()) if one["in"] == "path"}
    return template.format(**ids | (IN_PATH[name]() if name in IN_PATH else {}))


def send(client: ApiClient, template: str, method: str, operation: dict[str, Any], body: Body) -> Any:
    """The reply to the example, which is rolled back."""
    redis_client.run(lambda redis: redis.flushdb())
    secrets = SECRETS.get(operation["operationId"], lambda _: {})
    with transaction.atomic():
        try:
            return client.call(method.upper(), path_of(template, operation), body | secrets(client))
        finally:
            transaction.set_rollback(True)


def test_every_body_has_an_example() -> None:
    file = openapi.as_dict()
    assert not [operation["operationId"] for _, _, operation, body in examples(file) if body is None]


def test_every_example_works_in_the_sandbox_as_it_is_printed(seeded: None) -> None:
    file = openapi.as_dict()
    clients = {name: client_of(name) for name in {"admin", *SENDERS.values()}}
    faults = {}
    for path, method, operation, body in examples(file):
        status = next(int(code) for code in operation["responses"] if code < "300")
        client = clients[SENDERS.get(operation["operationId"], "admin")]
        try:
            agree(file, send(client, path, method, operation, body), status)
        except AssertionError as fault:
            faults[operation["operationId"]] = str(fault)[:400]
    assert not faults


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-30T18:00:00Z", "2026-12-08"),  # a Monday
        ("2026-12-01T18:00:00Z", "2026-12-15"),  # a Tuesday
        ("2026-12-06T18:00:00Z", "2026-12-15"),  # a Sunday
    ],
)
def test_a_date_in_an_example_is_a_tuesday_after_the_next_seven_days(now: str, day: str) -> None:
    with time_machine.travel(now, tick=False):
        assert printed({"date_from": Upcoming()}) == {"date_from": day}


def test_a_time_in_an_example_is_by_the_clinics_clock(settings: Any) -> None:
    settings.CLINIC_TIME_ZONE = "America/Los_Angeles"
    with time_machine.travel("2026-11-30T18:00:00Z", tick=False):
        assert printed([Upcoming(days=1, at=time(14, 30))]) == ["2026-12-09T22:30:00Z"]
