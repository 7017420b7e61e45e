"""The consultations that wait for a user: with a nurse, with an alert, not signed. For the home pages and the queue."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, QuerySet, When

from apps.access.actor import Actor
from apps.common import clock
from apps.consultations import rules
from apps.consultations.models import Consultation, StepSave
from apps.consultations.selectors import with_alert_since


def with_place(rows: QuerySet[Consultation]) -> QuerySet[Any]:
    """Adds `is_with_nurse`: another user than the doctor started the consultation, has not handed the patient to the doctor, and
    the doctor has saved no step."""
    by_doctor = StepSave.objects.filter(consultation=OuterRef("pk"), saved_by=OuterRef("doctor"))
    begun_for = Q(status=rules.Status.IN_PROGRESS, ready_at=None, entered_by__isnull=False) & ~Q(entered_by=F("doctor"))
    return rows.annotate(
        is_with_nurse=Case(When(begun_for & ~Exists(by_doctor), then=True), default=False, output_field=BooleanField())
    )


@dataclass(frozen=True)
class OngoingVisit:
    """The consultation of an appointment in progress, and whether the patient is still with a nurse."""

    consultation_id: UUID
    is_with_nurse: bool


def ongoing_visits(appointment_ids: Collection[UUID]) -> dict[UUID, OngoingVisit]:
    """Returns the current consultation by appointment, for appointments that the caller may see; for the front desk too, which
    sees no consultation but where the patient is. One query."""
    rows = _of_appointments(Consultation.objects.all(), appointment_ids)
    values = rows.values_list("appointment_id", "pk", "is_with_nurse")
    return {appointment_id: OngoingVisit(pk, is_with_nurse) for appointment_id, pk, is_with_nurse in values}


def live_of_appointments(*, visible_to: Actor, appointment_ids: Collection[UUID]) -> dict[UUID, Any]:
    """Returns the current consultation of each of these appointments, with `is_with_nurse` and `alert_since`. One query."""
    rows = _of_appointments(Consultation.objects.visible_to(visible_to), appointment_ids)
    return {row.appointment_id: row for row in with_alert_since(rows)}


def _of_appointments(rows: Any, appointment_ids: Collection[UUID]) -> QuerySet[Any]:
    return with_place(rows.live().filter(appointment__in=appointment_ids))


def walk_ins_today(*, visible_to: Actor, doctor_id: UUID, since: datetime) -> list[Any]:
    """Returns the doctor's current consultations without an appointment that started since the instant, with the patient,
    `is_with_nurse` and `alert_since`, by time. One query."""
    rows = Consultation.objects.visible_to(visible_to).live().filter(doctor=doctor_id, appointment=None, started_at__gte=since)
    return list(with_alert_since(with_place(rows)).select_related("patient").order_by("started_at", "id"))


def with_nurses(*, visible_to: Actor, since: datetime) -> list[Any]:
    """Returns the consultations that nurses have begun since the instant and not handed to the doctor, with patient, doctor,
    appointment, room, nurse and `alert_since`, by time. One query."""
    rows = with_alert_since(with_place(Consultation.objects.visible_to(visible_to).filter(status=rules.Status.IN_PROGRESS)))
    rows = rows.filter(is_with_nurse=True, started_at__gte=since)
    return list(rows.select_related("patient", "doctor", "appointment__room", "entered_by").order_by("started_at", "id"))


def last_begun(*, by: Actor, since: datetime) -> Consultation | None:
    """Returns the consultation of an appointment that the actor started last, since the instant, and that has not ended. One
    query."""
    rows = Consultation.objects.visible_to(by).live().filter(entered_by=by.id, started_at__gte=since, appointment__isnull=False)
    return rows.order_by("-started_at", "-id").first()


def to_finish(*, visible_to: Actor, doctor_id: UUID) -> QuerySet[Consultation]:
    """Returns the doctor's consultations that began more than a day ago and are not signed, the oldest first."""
    rows = Consultation.objects.visible_to(visible_to).live().filter(doctor=doctor_id)
    return rows.filter(started_at__lt=clock.now() - rules.TO_SIGN_WITHIN).order_by("started_at", "id")


def with_open_alerts(*, visible_to: Actor, doctor_id: UUID | None = None) -> QuerySet[Any]:
    """Returns the consultations, of a doctor or of all, with an urgent alert that no doctor has acknowledged (`alert_since`), the
    oldest alert first."""
    rows = with_alert_since(Consultation.objects.visible_to(visible_to).live()).filter(alert_since__isnull=False)
    return (rows if doctor_id is None else rows.filter(doctor=doctor_id)).order_by("alert_since", "id")
