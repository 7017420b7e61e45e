"""Finds consultations. Every selector is limited to what the caller may see."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery, When

from apps.access.actor import Actor
from apps.common.errors import NotFound
from apps.consultations import adaptive, rules
from apps.consultations.models import (
    SIGNED,
    Acknowledgement,
    Addendum,
    Consultation,
    ConsultationStatusChange,
    StepSave,
    VitalAlert,
)
from apps.consultations.queries import prepared
from apps.consultations.queries.prepared import CONSULTATIONS
from apps.consultations.rights import Permission
from apps.consultations.rules import Progress, State, StepState
from apps.consultations.steps.definitions import NURSE_STEPS, Step
from apps.rest.paging import FIRST, Page, Window


@dataclass(frozen=True)
class StepDetails:
    """One step: its progress, its latest save, and the adaptive rule that gave the reason. None where there is no such value."""

    progress: StepState
    save: StepSave | None
    rule_id: str | None

    @property
    def version(self) -> int:
        return self.save.version if self.save else 0

    @property
    def data(self) -> dict[str, Any] | None:
        return self.save.data if self.save else None

    @property
    def codes(self) -> dict[str, Any] | None:
        """The codes of the diagnoses, for readers of codes without narrative."""
        coded = self.save.parsed.get("diagnoses", ()) if self.save else ()
        return {"diagnoses": [{"code": one["code"], "primary": one["primary"]} for one in coded]} if self.save else None

    @property
    def parsed(self) -> dict[str, Any] | None:
        return (self.save.parsed or None) if self.save else None

    @property
    def outcome(self) -> dict[str, Any] | None:
        return (self.save.outcome or None) if self.save else None

    @property
    def saved_at(self) -> datetime | None:
        return self.save.saved_at if self.save else None


@dataclass(frozen=True)
class ConsultationDetails:
    """A consultation with its details: each step's latest save, acknowledged alerts, addenda, and the progress."""

    row: Consultation
    saves: Mapping[Step, StepSave]
    acknowledged: Mapping[str, Acknowledgement]
    addenda: Sequence[Addendum]
    progress: Progress

    @property
    def steps(self) -> list[StepDetails]:
        """The eleven steps, in order."""
        return [StepDetails(one, self.saves.get(one.step), _rule_of(self.row, one)) for one in self.progress.steps]

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """The alerts of the adaptive rules."""
        alerts: list[dict[str, Any]] = self.row.guidance.get("alerts", [])
        return alerts

    @property
    def unusual_diagnoses(self) -> list[tuple[int, str]]:
        """The diagnoses that do not fit the patient's age or sex: their positions in the step, each with the reason."""
        save = self.saves.get(Step.ASSESSMENT)
        coded = save.parsed.get("diagnoses", []) if save else []
        return [(position, one["unusual"]) for position, one in enumerate(coded) if one.get("unusual")]

    @property
    def open_alerts(self) -> list[dict[str, Any]]:
        """The alerts that are not acknowledged."""
        return [alert for alert in self.alerts if alert["id"] not in self.acknowledged]

    @property
    def urgent_alerts(self) -> list[dict[str, Any]]:
        """The urgent alerts of a consultation in progress or on hold that no doctor has acknowledged."""
        return [alert for alert in self.open_alerts if alert.get("urgent")] if self.row.status in rules.LIVE else []


def _rule_of(row: Consultation, one: StepState) -> str | None:
    """Returns the id of the rule that gave the reason why the step is required or skipped."""
    lines = row.guidance.get("requires" if one.required else "skips", []) if one.required or one.state is State.SKIPPED else []
    return next((line["rule_id"] for line in lines if line["step"] == one.step and line["because"] == one.reason), None)


def list_page(*, visible_to: Actor, window: Window = FIRST, **filters: Any) -> Page:
    """Returns a page of consultations, the latest first. Filters: patient_id (a merged id finds the survivor's), doctor_id,
    appointment_id, since, until (exclusive), status.

    Two statements. Without a filter the total is exact; with one it is counted up to 10,000.
    """
    return CONSULTATIONS.bind(visible_to, **filters).page(window)


def consultation(by: Actor, consultation_id: UUID) -> ConsultationDetails:
    """Returns the consultation, or raises NotFound. At most four queries."""
    row: Consultation | None = CONSULTATIONS.instance(by, consultation_id)
    if row is None:
        raise not_found(consultation_id)
    return details(row)


def of_patient(*, visible_to: Actor, patient_id: UUID) -> QuerySet[Consultation]:
    """Returns the patient's consultations that the actor may see, with doctor and appointment, the latest first."""
    rows = Consultation.objects.visible_to(visible_to).filter(patient=patient_id).select_related("doctor", "appointment")
    return rows.order_by("-started_at", "-id")


def care_team_doctors(patient_id: UUID) -> set[UUID]:
    """Returns the doctors that a consultation of the patient makes members of the care team: those who have or had one that was
    not cancelled."""
    rows = Consultation.objects.filter(patient=patient_id).exclude(status=rules.Status.CANCELLED)
    earlier = ConsultationStatusChange.objects.filter(consultation__in=rows.order_by(), to_doctor__isnull=False)
    return {*rows.values_list("doctor_id", flat=True), *earlier.values_list("to_doctor_id", flat=True)}


def saves_of_all(consultation_ids: Collection[UUID], steps: Collection[Step]) -> dict[UUID, dict[Step, StepSave]]:
    """Returns the latest saves of these steps, by consultation. One query."""
    rows = StepSave.objects.filter(consultation__in=consultation_ids, number__in=[int(step) for step in steps])
    saves: dict[UUID, dict[Step, StepSave]] = {one: {} for one in consultation_ids}
    for save in rows.order_by("consultation_id", "number", "-version").distinct("consultation_id", "number"):
        saves[save.consultation_id][Step(save.number)] = save
    return saves


def not_found(consultation_id: UUID) -> NotFound:
    """Returns the refusal for a consultation that does not exist or may not be seen; with the patient, for the audit log."""
    refusal = NotFound("There is no such consultation.")
    refusal.withheld = Consultation.objects.filter(pk=consultation_id).values_list("patient_id", flat=True).first()
    return refusal


def details(row: Consultation) -> ConsultationDetails:
    """Returns the consultation with its stored details."""
    answered = Acknowledgement.objects.filter(consultation=row) if row.guidance.get("alerts") else ()
    addenda = list(Addendum.objects.filter(consultation=row)) if row.status == rules.Status.AMENDED else []
    return build_details(row, latest_saves(row), {one.alert_id: one for one in answered}, addenda)


def build_details(
    row: Consultation,
    saves: Mapping[Step, StepSave],
    acknowledged: Mapping[str, Acknowledgement],
    addenda: Sequence[Addendum] = (),
) -> ConsultationDetails:
    """Returns the consultation with its parts and its progress."""
    states = {step: State(save.state) for step, save in saves.items()}
    progress = rules.progress(row.workflow_type, row.status, requirements_of(row), states)
    return ConsultationDetails(row, saves, acknowledged, addenda, progress)


def with_alert_since(rows: QuerySet[Consultation]) -> QuerySet[Any]:
    """Adds `alert_since` to the consultations: when an urgent alert was raised that still applies, that no doctor has
    acknowledged and that another user than the consultation's doctor entered; None without one, and for ended consultations."""
    answered = Acknowledgement.objects.filter(consultation=OuterRef("consultation"), alert_id=OuterRef("alert_id"))
    known = Q(raised_by=OuterRef("doctor"), raised_by__isnull=False)
    calls = VitalAlert.objects.filter(~Exists(answered), ~known, consultation=OuterRef("pk"), cleared_at=None)
    since = Subquery(calls.order_by("raised_at").values("raised_at")[:1])
    return rows.annotate(alert_since=Case(When(status__in=rules.LIVE, then=since), output_field=DateTimeField()))


def walk_ins_for_the_doctor(*, visible_to: Actor, doctor_id: UUID | None = None) -> list[Consultation]:
    """Returns the walk-in consultations that need their doctor (they have no row in the queue): first those with an urgent alert
    (`alert_since`), then those that a nurse marked as ready, each by time. One query."""
    rows = Consultation.objects.visible_to(visible_to).live().filter(appointment=None)
    mine = rows if doctor_id is None else rows.filter(doctor=doctor_id)
    calling = (
        with_alert_since(mine)
        .filter(Q(alert_since__isnull=False) | Q(ready_at__isnull=False))
        .select_related("patient", "doctor")
    )
    return list(calling.order_by(F("alert_since").asc(nulls_last=True), "ready_at", "id"))


def other_live(by: Actor, row: Consultation) -> list[Consultation]:
    """Returns the patient's other consultations that have not ended, the latest first. One query."""
    return [one for one in live_of_patient(by, row.patient_id) if one.pk != row.pk]


def live_of_patient(by: Actor, patient_id: UUID) -> list[Consultation]:
    """Returns the patient's consultations that have not ended, the latest first. One query."""
    rows = Consultation.objects.visible_to(by).live().filter(patient=patient_id)
    return list(rows.select_related("doctor").order_by("-started_at", "-id"))


@dataclass(frozen=True)
class Plan:
    """The treatment plan of a signed consultation."""

    consultation_id: UUID
    started_at: datetime
    text: str


def last_plan(by: Actor, patient_id: UUID, *, before: datetime) -> Plan | None:
    """Returns the plan of the last consultation that was signed with one, of those that began before. One query.

    Only the latest save of the step was signed: an earlier one may have a plan that was cleared afterwards.
    """
    signed = Consultation.objects.visible_to(by).filter(patient=patient_id, status__in=SIGNED, started_at__lt=before)
    saves = StepSave.objects.filter(number=Step.TREATMENT_PLAN, consultation__in=signed.order_by().values("pk"))
    later = StepSave.objects.filter(
        consultation=OuterRef("consultation"), number=OuterRef("number"), version__gt=OuterRef("version")
    )
    plans = saves.exclude(Exists(later)).exclude(data__plan=None).order_by("-consultation__started_at", "-consultation_id")
    row = plans.values_list("consultation_id", "consultation__started_at", "data__plan").first()
    return Plan(*row) if row else None


def may_cancel(by: Actor, row: Consultation) -> bool:
    """Returns whether the actor may cancel a consultation that has not ended: a nurse only if no doctor has worked on it, that is
    saved a step of it, now or before a handover."""
    if by.has_permission(Permission.CONSULTATION_STEP_ANY):
        return True
    doctors = ConsultationStatusChange.objects.filter(consultation=row).values("to_doctor")
    of_doctor = ~Q(number__in=[int(step) for step in NURSE_STEPS]) | Q(saved_by=row.doctor_id) | Q(saved_by__in=doctors)
    return not StepSave.objects.filter(of_doctor, consultation=row).exists()


def vital_alerts(consultation_id: UUID, alert_ids: Collection[str] | None = None) -> list[VitalAlert]:
    """Returns the urgent alerts with these ids; without ids, those that still apply and that no doctor has acknowledged."""
    rows = VitalAlert.objects.filter(consultation=consultation_id)
    if alert_ids is not None:
        return list(rows.filter(alert_id__in=alert_ids))
    answered = Acknowledgement.objects.filter(consultation=consultation_id).values("alert_id")
    return list(rows.filter(cleared_at=None).exclude(alert_id__in=answered))


def requirements_of(row: Consultation) -> rules.StepRequirements:
    """Returns what the consultation needs: by its workflow, or by the latest result of the rules."""
    return adaptive.requirements_of(row.guidance) if "requires" in row.guidance else rules.fixed_requirements(row.workflow_type)


def latest_saves(row: Consultation) -> dict[Step, StepSave]:
    """Returns the latest save of each step."""
    return {Step(save.number): save for save in prepared.latest_saves(row.pk)}


def saves_of(row: Consultation, step: Step) -> QuerySet[StepSave]:
    """Returns every save of one step, the latest first, with its user."""
    return StepSave.objects.filter(consultation=row, number=step).select_related("saved_by").order_by("-version")


def status_changes(row: Consultation) -> QuerySet[ConsultationStatusChange]:
    """Returns the consultation's status changes, in order."""
    return (
        ConsultationStatusChange.objects.filter(consultation=row).select_related("by", "from_doctor", "to_doctor").order_by("id")
    )
