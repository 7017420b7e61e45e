"""What a user does with one appointment: confirm, move, check in, triage, cancel. Each action has a page that asks first."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.appointments import rules, services
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.common import clock
from apps.desk.appointments import check_in, move
from apps.desk.appointments.check_in import may_change
from apps.desk.appointments.forms import CancelForm, TriageForm
from apps.desk.kit.row_actions import RowAction, next_page

_MISSED_AFTER = timedelta(minutes=15)  # before that the patient is only late
_QUESTIONS = "admin/appointments/appointment/"


def _may_change_to(to: Status) -> Any:
    """Offers the action if the states allow it and the user may change this schedule."""
    return lambda row, user: to in rules.LIFECYCLE.allowed(row.status) and may_change(user, row)


def _show_token(request: HttpRequest, row: Appointment, answer: Appointment) -> HttpResponse:
    messages.success(request, gettext("Checked in. Token %(number)s.") % {"number": answer.queue_number})
    here = reverse("admin:appointments_appointment_change", args=[row.pk])
    return HttpResponseRedirect(next_page(request) or here)


def _triage(by: Actor, row: Appointment, answers: Mapping[str, Any]) -> None:
    changes = {"triage": answers["triage"], "triage_reason": answers["triage_reason"].strip()}
    services.change(by=by, appointment_id=row.pk, changes=changes, notify_patient=False)


ROW_ACTIONS = (
    RowAction(
        name="check-in",
        label=_("Check in"),
        submit=_("Done"),
        template=f"{_QUESTIONS}check_in.html",
        permission=Permission.APPOINTMENT_CHANGE,
        form=check_in.CheckInForm,
        run=check_in.run,
        question=_("Ask for name and date of birth, then check in."),
        done=_("Checked in."),
        available=_may_change_to(Status.CHECKED_IN),
        result_page=_show_token,
    ),
    RowAction(
        name="accept",
        label=_("Accept"),
        permission=Permission.APPOINTMENT_CHANGE,
        run=lambda by, row, _: services.change(by=by, appointment_id=row.pk, changes={"status": Status.SCHEDULED.value}),
        question=_("The patient asked for this time. It is booked, and the patient gets a message."),
        done=_("The request is accepted, and the time is booked."),
        available=_may_change_to(Status.SCHEDULED),
    ),
    RowAction(
        name="confirm",
        label=_("Confirm"),
        permission=Permission.APPOINTMENT_CHANGE,
        run=lambda by, row, _: services.confirm(by=by, appointment_id=row.pk),
        question=_("The patient said that they will come."),
        done=_("The appointment is confirmed."),
        available=_may_change_to(Status.CONFIRMED),
    ),
    RowAction(
        name="cancel",
        label=_("Cancel appointment"),
        template=f"{_QUESTIONS}cancel.html",
        permission=Permission.APPOINTMENT_CHANGE,
        form=CancelForm,
        run=lambda by, row, answers: services.cancel(
            by=by, appointment_id=row.pk, reason=answers["reason"], notify_patient=answers["notify_patient"]
        ),
        question=_("The appointment does not take place, and its time is free at once. This cannot be undone."),
        done=_("The appointment is cancelled, and its time is free."),
        available=_may_change_to(Status.CANCELLED),
        destructive=True,
    ),
    RowAction(
        name="undo-check-in",
        label=_("Undo check-in"),
        permission=Permission.APPOINTMENT_CHANGE,
        run=lambda by, row, _: services.undo_check_in(by=by, appointment_id=row.pk),
        question=_(
            "The patient was checked in by mistake. The appointment returns to its earlier status, and the token is void."
        ),
        done=_("The check-in was undone."),
        available=lambda row, user: row.status == Status.CHECKED_IN and may_change(user, row),
    ),
    RowAction(
        name="no-show",
        label=_("Did not come"),
        permission=Permission.APPOINTMENT_CHANGE,
        run=lambda by, row, _: services.no_show(by=by, appointment_id=row.pk),
        question=_("The time has passed, and the patient did not come."),
        done=_("Recorded: the patient did not come."),
        available=lambda row, user: (
            _may_change_to(Status.NO_SHOW)(row, user) and clock.now() >= row.scheduled_time + _MISSED_AFTER
        ),
    ),
    RowAction(
        name="move",
        label=_("Move"),
        template=f"{_QUESTIONS}move.html",
        permission=Permission.APPOINTMENT_CHANGE,
        form=move.MoveForm,
        run=move.run,
        question=_("The appointment gets another time. Its present time is free at once."),
        done=_("The appointment is moved."),
        available=lambda row, user: row.status in rules.MOVABLE and may_change(user, row),
        result_page=move.show_result,
    ),
    RowAction(
        name="triage",
        label=_("Change priority"),
        permission=Permission.APPOINTMENT_CHANGE,
        form=TriageForm,
        run=_triage,
        question=_("How soon should the patient be seen? Urgent patients go before the others in the waiting room."),
        done=_("The priority is recorded."),
        available=lambda row, user: row.status in rules.LIVE and may_change(user, row),
    ),
)
