"""After a merge, reads of the retired id show the survivor, and every write to it is refused with the survivor's id."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.appointments.models import Appointment, WaitlistEntry
from apps.consultations.models import Consultation
from apps.patients.confidentiality.models import BreakGlass
from apps.patients.models import ChartEntry, NotDuplicate, Patient
from apps.rest import endpoint
from hims.tests import factories
from hims.tests.test_permissions import doors

pytestmark = pytest.mark.django_db

WHY = "The patient is a colleague"
ENTRY = {"type": "note", "display": "Letter"}
# For each write: who may do it, and a body that would be accepted for any other record.
WRITES: dict[tuple[str, str], tuple[str, Any]] = {
    ("put", "patients/<str:pk>"): ("receptionist", {"phone": "(213) 373-4253"}),
    ("patch", "patients/<str:pk>"): ("receptionist", {"address": {"city": "Here"}}),
    ("post", "patients/<str:pk>/deactivate"): ("receptionist", None),
    ("post", "patients/<str:pk>/reactivate"): ("receptionist", None),
    ("post", "patients/<str:pk>/not-same"): ("receptionist", {"other_id": "{other}"}),
    ("post", "patients/<str:pk>/merge"): ("admin", {"into": "{other}", "reason": "The same passport"}),
    ("put", "patients/<str:pk>/restricted"): ("admin", {"restricted": True, "reason": WHY}),
    ("post", "patients/<str:pk>/break-glass"): ("doctor", {"reason": WHY}),
    ("post", "patients/<str:pk>/medical-history"): ("doctor", ENTRY),
    ("post", "patients/<str:pk>/medical-history/<str:entry>/retract"): ("doctor", {"reason": "Wrong"}),
    ("post", "appointments"): ("receptionist", {"patient_id": "{retired}", "doctor_id": "{doctor}", "scheduled_time": "{at}"}),
    ("post", "appointments/series"): (
        "receptionist",
        {
            "patient_id": "{retired}",
            "doctor_id": "{doctor}",
            "scheduled_time": "{at}",
            "every_weeks": 1,
            "occurrences": 2,
        },
    ),
    ("post", "waitlist"): ("receptionist", {"patient_id": "{retired}", "date_to": "{day}"}),
    ("post", "consultations"): ("doctor", {"patient_id": "{retired}"}),
}


class Family:
    """A record that was merged, its survivor, another patient, and the chart entry that the merge moved."""

    def __init__(self, doctor: User) -> None:
        factories.publish(doctor)
        self.retired, self.survivor, self.other = (
            factories.register_patient("Jon"),
            factories.register_patient("John"),
            factories.register_patient("Zoe", "Other"),
        )
        self.entry = factories.chart(self.retired)
        factories.merge(self.retired, self.survivor)
        at = factories.at("10:00")
        self.names = {
            "{retired}": str(self.retired.pk),
            "{other}": str(self.other.pk),
            "{doctor}": str(doctor.pk),
            "{at}": at.isoformat(),
            "{day}": at.date().isoformat(),
        }

    def filled(self, body: Any) -> Any:
        return {name: self.names.get(str(value), value) for name, value in body.items()} if body else {}

    def path(self, template: str, patient: Patient) -> str:
        return "/" + template.replace("<str:pk>", str(patient.pk)).replace("<str:entry>", str(self.entry.pk))


def writes() -> Iterator[tuple[str, str]]:
    """Method and path of every write that names a patient, in the path or as `patient_id` in the body."""
    for path, method, action, view in doors():
        body = endpoint.of(view, action).request
        documented = getattr(body, "documented_as", body)
        in_body = documented is not None and "patient_id" in documented().fields
        if method != "get" and (path.startswith("v1/patients/<str:pk>") or in_body):
            yield method, path.removeprefix("v1/")


@pytest.fixture
def family(staff: dict[str, User]) -> Family:
    return Family(staff["doctor"])


def test_every_write_that_names_a_patient_is_covered_below() -> None:
    assert set(writes()) == set(WRITES)


@pytest.mark.parametrize("write", WRITES, ids=" ".join)
def test_a_write_to_a_retired_record_is_refused_with_the_survivors_id(
    write: tuple[str, str], family: Family, staff: dict[str, User]
) -> None:
    method, template = write
    role, body = WRITES[write]
    reply = factories.api_client(staff[role]).call(method.upper(), family.path(template, family.retired), family.filled(body))
    assert reply.status_code == 409, reply.content
    details = reply.json()["error"]["details"]
    assert (details["survivor_id"], details["reason"]) == (str(family.survivor.pk), "record_merged")


def test_nothing_was_written_to_either_record(family: Family, staff: dict[str, User]) -> None:
    def rows() -> list[Any]:
        counted = [
            model.objects.count() for model in (ChartEntry, NotDuplicate, BreakGlass, Appointment, WaitlistEntry, Consultation)
        ]
        return [*counted, *Patient.objects.order_by("pk").values()]

    before = rows()
    for (method, template), (role, body) in WRITES.items():
        factories.api_client(staff[role]).call(method.upper(), family.path(template, family.retired), family.filled(body))
    assert rows() == before


def test_the_same_write_to_the_survivor_is_accepted(family: Family, staff: dict[str, User]) -> None:
    family.names["{retired}"] = str(family.survivor.pk)
    for template in ("patients/<str:pk>", "patients/<str:pk>/medical-history", "appointments", "waitlist"):
        method = "put" if template == "patients/<str:pk>" else "post"
        role, body = WRITES[method, template]
        reply = factories.api_client(staff[role]).call(
            method.upper(), family.path(template, family.survivor), family.filled(body)
        )
        assert reply.status_code in (200, 201), reply.content


@pytest.mark.parametrize("named", ["other_id", "into"])
def test_a_retired_record_in_the_body_of_a_write_is_refused_too(named: str, family: Family, staff: dict[str, User]) -> None:
    path = f"/patients/{family.other.pk}/" + {"other_id": "not-same", "into": "merge"}[named]
    body = {named: str(family.retired.pk)} | ({"reason": "The same passport"} if named == "into" else {})
    reply = factories.api_client(staff["admin" if named == "into" else "receptionist"]).post(path, body)
    assert (reply.status_code, reply.json()["error"]["details"]["survivor_id"]) == (409, str(family.survivor.pk))


def test_reads_of_a_retired_record_show_the_survivor(family: Family, staff: dict[str, User]) -> None:
    doctor, old = factories.api_client(staff["doctor"]), f"/patients/{family.retired.pk}"
    assert doctor.get(old).json()["data"]["patient"]["id"] == str(family.survivor.pk)
    assert [row["id"] for row in doctor.get(f"{old}/medical-history").json()["data"]["records"]] == [str(family.entry.pk)]
    assert doctor.get(f"{old}/medical-history/{family.entry.pk}").status_code == 200
    for path in ("/appointments", "/consultations"):
        assert doctor.get(f"{path}?patient_id={family.retired.pk}").status_code == 200


def test_the_survivor_of_a_closed_chart_is_not_given_away(family: Family, staff: dict[str, User]) -> None:
    factories.restrict(family.survivor)
    reply = factories.api_client(staff["receptionist"]).put(f"/patients/{family.retired.pk}", {"address": {"city": "Here"}})
    assert reply.status_code == 404
    assert str(family.survivor.pk) not in reply.content.decode()


FORMS = {
    "patients_chartentry_add": ("doctor", "&type=note", {"display": "Letter", "detail_title": "Letter"}),
    "appointments_waitlistentry_add": ("receptionist", "", {"date_to": str(factories.at().date())}),
    "consultations_consultation_add": ("doctor", "", {"workflow_type": "standard"}),
}


@pytest.mark.parametrize("page", FORMS)
def test_a_form_that_was_opened_before_the_merge_saves_nothing(page: str, staff: dict[str, User]) -> None:
    role, query, answers = FORMS[page]
    retired, survivor = factories.register_patient("Jon"), factories.register_patient("John")
    staff_browser: Client = factories.browser(staff[role])
    address = f"{reverse(f'admin:{page}')}?patient={retired.pk}{query}"
    shown = staff_browser.get(address).context
    form = shown["adminform"].form if "adminform" in shown else shown["form"]
    answers = {name: "" if form[name].value() is None else form[name].value() for name in form.fields} | answers
    factories.merge(retired, survivor)
    before = _rows_of(survivor.pk)
    answer = staff_browser.post(address, answers)
    assert "merged into another one" in answer.content.decode(), answer.context["errors"]
    assert _rows_of(survivor.pk) == before


def _rows_of(patient_id: UUID) -> list[int]:
    return [model.objects.filter(patient=patient_id).count() for model in (ChartEntry, WaitlistEntry, Consultation)]
