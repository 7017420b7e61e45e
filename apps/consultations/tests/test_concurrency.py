"""Many at the same visit at once."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.audit.models import AuditEvent
from apps.common.errors import HimsError
from apps.common.tests.concurrency import run_concurrently
from apps.consultations import selectors, services
from apps.consultations.models import Consultation, StepSave
from apps.consultations.services import NewConsultation, StepChanged, locking
from apps.consultations.steps import ports
from apps.consultations.steps.definitions import Step
from apps.consultations.tests.factories import booked, fill, save, start_consultation
from apps.events.models import OutboxEvent
from apps.patients.models import ChartEntry, Patient
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db(transaction=True)


def tried(act: Any) -> Any:
    try:
        return act()
    except HimsError as refusal:
        return refusal


def test_of_two_saves_of_one_version_one_wins_and_the_other_is_shown_what_is_stored(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    for _ in range(5):
        visit = start_consultation(doctor, register_patient())
        plans = [f"Plan of writer {number}" for number in range(4)]
        done = run_concurrently(4, lambda number: tried(lambda: save(doctor, visit, 7, {"plan": plans[number]}, version=0)))  # noqa: B023
        refused = [one for one in done if isinstance(one, StepChanged)]
        (won,) = [one for one in done if not isinstance(one, HimsError)]
        assert len(refused) == 3
        assert all(one.details["current"]["data"] == won.saves[7].data for one in refused)
        assert StepSave.objects.filter(consultation=visit.row).count() == 1


def test_of_twenty_saves_under_one_tag_one_wins(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    visit, who = start_consultation(doctor, register_patient()), api_client(doctor)
    at = f"/consultations/{visit.row.pk}"
    tag = who.get(at).headers["ETag"]

    def write(number: int) -> Any:
        body = {"step_number": 7, "step_data": {"plan": f"Plan of writer {number}"}}
        return who.put(f"{at}/step", body, HTTP_IF_MATCH=tag)

    answers = run_concurrently(20, write)
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19
    stored = StepSave.objects.get(consultation=visit.row).data
    for answer in answers:
        reply_data = answer.json()
        current = reply_data["data"] if answer.status_code == 200 else reply_data["error"]["details"]["current"]
        assert current["consultation"]["step_data"]["treatment_plan"]["data"] == stored


def test_saves_of_different_fields_without_a_version_lose_nothing(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient())
    fields = {"bp": "120/80", "pulse": 70, "spo2": 98, "pain": 2, "weight_kg": 70, "height_cm": 180}
    run_concurrently(len(fields), lambda number: save(doctor, visit, 1, dict([list(fields.items())[number]])))
    stored = selectors.consultation(doctor, visit.row.pk)
    assert stored.saves[1].data == fields
    assert stored.row.version == 1 + len(fields)


def test_an_appointment_begun_at_once_by_many_has_one_visit(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    new = NewConsultation(patient_id=patient.pk, appointment_id=booked(patient, doctor).pk)
    who = [doctor, staff["nurse"]] * 4
    done = run_concurrently(len(who), lambda number: tried(lambda: services.start(by=who[number], new=new)))
    assert len([one for one in done if not isinstance(one, HimsError)]) == 1
    assert {one.status for one in done if isinstance(one, HimsError)} == {409}
    assert Consultation.objects.count() == 1


def test_a_visit_signed_at_once_by_many_is_signed_once(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient())
    fill(doctor, visit)
    done = run_concurrently(10, lambda _: tried(lambda: services.complete(by=doctor, consultation_id=visit.row.pk)))
    assert len([one for one in done if not isinstance(one, HimsError)]) == 1
    assert {one.status for one in done if isinstance(one, HimsError)} == {409}
    assert ChartEntry.objects.filter(type="note").count() == 1
    assert OutboxEvent.objects.filter(name="consultation.completed").count() == 1
    assert AuditEvent.objects.filter(action="consultation.completed").count() == 1


def test_a_save_and_a_signature_at_once_never_leave_a_step_behind_the_signature(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    for _ in range(5):
        visit = start_consultation(doctor, register_patient())
        fill(doctor, visit)
        actions = [
            lambda: services.complete(by=doctor, consultation_id=visit.row.pk),  # noqa: B023
            lambda: save(doctor, visit, 7, {"plan": "Late"}),  # noqa: B023
        ]
        run_concurrently(2, lambda number: tried(actions[number]))  # noqa: B023
        row = Consultation.objects.get(pk=visit.row.pk)
        assert row.status == "completed"
        assert services.content_sha256(row.pk, selectors.latest_saves(row).values()) == row.content_sha256


class _Killed:
    """A step handler in whose hands the connection to the database dies."""

    def place(self, *, by: Any, order: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        raise AssertionError("the connection should be gone")

    def refused(self, *, by: Any, order: Any, refusal: Any) -> None:
        raise AssertionError("nobody refused")


def test_a_visit_is_finished_elsewhere_after_its_machine_was_killed_in_the_middle_of_a_step(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient())
    save(doctor, visit, 2, {"symptoms": [{"description": "Earache"}]})
    ports.register_step_handler(Step.PRESCRIPTIONS, _Killed())

    def die(_: int) -> Any:
        try:
            return save(doctor, visit, 8)
        except DatabaseError as error:
            return error

    try:
        (died,) = run_concurrently(1, die)
    finally:
        ports.unregister_step_handler(Step.PRESCRIPTIONS)
    assert isinstance(died, DatabaseError)

    def finish(_: int) -> Any:
        seen = selectors.consultation(doctor, visit.row.pk)
        assert (seen.saves[Step.SYMPTOMS].data, Step.PRESCRIPTIONS in seen.saves) == (
            {"symptoms": [{"description": "Earache"}]},
            False,
        )
        fill(doctor, save(doctor, seen, 2, {"chief_complaint": "Earache"}))
        return services.complete(by=doctor, consultation_id=visit.row.pk)

    (done,) = run_concurrently(1, finish)
    assert done.row.status == "completed"


def test_while_a_consultation_is_written_its_patient_and_its_row_are_locked(staff: dict[str, User]) -> None:
    row = start_consultation(staff["doctor"], register_patient()).row

    def free() -> list[int]:
        with transaction.atomic():
            models = ((Patient, row.patient_id), (Consultation, row.pk))
            return [len(kind.objects.filter(pk=pk).select_for_update(skip_locked=True)) for kind, pk in models]

    with transaction.atomic():
        locking.get_for_update(staff["doctor"], row.pk)
        assert run_concurrently(1, lambda _: free()) == [[0, 0]]
    assert run_concurrently(1, lambda _: free()) == [[1, 1]]
