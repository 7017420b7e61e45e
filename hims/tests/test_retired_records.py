"""After a merge, reads of the retired id show the survivor, and every write to it is refused with the survivor's id."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import ForeignKey
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.patients.models import Patient
from apps.rest import endpoint
from hims.tests import factories
from hims.tests.contracts import PATIENT_FORMS, PATIENT_WRITES, cells
from hims.tests.test_matrix import row_of
from hims.tests.test_permissions import doors

pytestmark = pytest.mark.django_db

WITH_ANOTHER_PATIENT = [operation for operation, call in PATIENT_WRITES.items() if "{other}" in call.body.values()]


class Family:
    """A record that was merged, its survivor, another patient, and the chart entry that the merge moved."""

    def __init__(self, staff: dict[str, User]) -> None:
        self.staff, doctor = staff, staff["doctor"]
        factories.publish(doctor)
        self.retired, self.survivor, self.other = (
            factories.register_patient("Jon"),
            factories.register_patient("John"),
            factories.register_patient("Zoe", "Other"),
        )
        self.entry = factories.chart(self.retired)
        factories.merge(self.retired, self.survivor)
        at = factories.at("10:00")
        self.values = {"{doctor}": str(doctor.pk), "{at}": at.isoformat(), "{day}": at.date().isoformat()}

    def write(self, operation: str, patient: Patient, other: Patient | None = None) -> Any:
        """Calls a write about the patient, in the role that its app states. Returns the reply."""
        call, (method, route) = PATIENT_WRITES[operation], operation.split(" ")
        values = self.values | {"{patient}": str(patient.pk), "{other}": str((other or self.other).pk)}
        body = {name: values.get(str(value), value) for name, value in call.body.items()}
        path = route.replace("{id}", str(patient.pk)).replace("{entry}", str(self.entry.pk))
        return factories.api_client(self.staff[call.role]).call(method, path, body)


def writes() -> Iterator[str]:
    """Every write that names a patient, in the path or as `patient_id` in the body."""
    for path, method, action, view in doors():
        body = endpoint.of(view, action).request
        documented = getattr(body, "documented_as", body)
        in_body = documented is not None and "patient_id" in documented().fields
        if method != "get" and (path.startswith("v1/patients/<str:pk>") or in_body):
            yield row_of(path, method)


def rows_of_patients() -> list[Any]:
    """The number of rows of every model that refers to a patient, and all patients."""
    models = [model for model in apps.get_models() if model is not Patient and _links(model)]
    return [*((model.__name__, model._default_manager.count()) for model in models), *Patient.objects.order_by("pk").values()]


def _links(model: Any) -> bool:
    return any(isinstance(field, ForeignKey) and field.related_model is Patient for field in model._meta.fields)


@pytest.fixture
def family(staff: dict[str, User]) -> Family:
    return Family(staff)


def test_every_write_that_names_a_patient_is_covered_below() -> None:
    assert set(writes()) == set(PATIENT_WRITES)


@pytest.mark.parametrize("operation", PATIENT_WRITES)
def test_a_write_to_a_retired_record_is_refused_with_the_survivors_id(operation: str, family: Family) -> None:
    reply = family.write(operation, family.retired)
    assert reply.status_code == 409, reply.content
    details = reply.json()["error"]["details"]
    assert (details["survivor_id"], details["reason"]) == (str(family.survivor.pk), "record_merged")


def test_nothing_was_written_to_either_record(family: Family) -> None:
    before = rows_of_patients()
    assert len(before) > 10
    for operation in PATIENT_WRITES:
        family.write(operation, family.retired)
    assert rows_of_patients() == before


def test_the_same_write_to_the_survivor_is_accepted(family: Family) -> None:
    accepted = set()
    for operation in PATIENT_WRITES:
        with transaction.atomic():
            if family.write(operation, family.survivor).status_code in (200, 201):
                accepted.add(operation)
            transaction.set_rollback(True)
    assert accepted == {operation for operation, call in PATIENT_WRITES.items() if call.accepted}


@pytest.mark.parametrize("operation", WITH_ANOTHER_PATIENT)
def test_a_retired_record_in_the_body_of_a_write_is_refused_too(operation: str, family: Family) -> None:
    reply = family.write(operation, family.other, other=family.retired)
    assert (reply.status_code, reply.json()["error"]["details"]["survivor_id"]) == (409, str(family.survivor.pk))


def lists_by_patient() -> Iterator[str]:
    """Every list that can be narrowed to a patient."""
    for path, method, action, view in doors():
        query = endpoint.of(view, action).query
        if endpoint.of(view, action).paged and query is not None and "patient_id" in query.base_filters:
            yield row_of(path, method)


def test_a_list_that_is_narrowed_to_a_retired_record_is_shown(family: Family) -> None:
    assert set(lists_by_patient()) >= {"GET /appointments", "GET /consultations"}
    for operation in lists_by_patient():
        role = next(role for role in ("doctor", "admin") if cells(operation, admin_clinical=True)[role] != "-")
        path = operation.removeprefix("GET ")
        reply = factories.api_client(family.staff[role]).get(f"{path}?patient_id={family.retired.pk}")
        assert reply.status_code == 200, operation


def test_reads_of_a_retired_record_show_the_survivor(family: Family, staff: dict[str, User]) -> None:
    doctor, old = factories.api_client(staff["doctor"]), f"/patients/{family.retired.pk}"
    assert doctor.get(old).json()["data"]["patient"]["id"] == str(family.survivor.pk)
    assert [row["id"] for row in doctor.get(f"{old}/medical-history").json()["data"]["records"]] == [str(family.entry.pk)]
    assert doctor.get(f"{old}/medical-history/{family.entry.pk}").status_code == 200


def test_the_survivor_of_a_closed_chart_is_not_given_away(family: Family, staff: dict[str, User]) -> None:
    factories.restrict(family.survivor)
    reply = factories.api_client(staff["receptionist"]).put(f"/patients/{family.retired.pk}", {"address": {"city": "Here"}})
    assert reply.status_code == 404
    assert str(family.survivor.pk) not in reply.content.decode()


@pytest.mark.parametrize("page", PATIENT_FORMS)
def test_a_form_that_was_opened_before_the_merge_saves_nothing(page: str, staff: dict[str, User]) -> None:
    call = PATIENT_FORMS[page]
    retired, survivor = factories.register_patient("Jon"), factories.register_patient("John")
    staff_browser: Client = factories.browser(staff[call.role])
    address = f"{reverse(f'admin:{page}')}?patient={retired.pk}{call.query}"
    shown = staff_browser.get(address).context
    form = shown["adminform"].form if "adminform" in shown else shown["form"]
    values = {name: "" if form[name].value() is None else form[name].value() for name in form.fields} | call.body
    values = {name: str(factories.at().date()) if value == "{day}" else value for name, value in values.items()}
    factories.merge(retired, survivor)
    before = rows_of_patients()
    answer = staff_browser.post(address, values)
    assert "merged into another one" in answer.content.decode(), answer.context["errors"]
    assert rows_of_patients() == before
