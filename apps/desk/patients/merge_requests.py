"""The page on which a user who may not merge asks the administrators to: which record should stay, and why."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.desk.kit.row_actions import RowAction, next_page
from apps.desk.kit.site import can_open
from apps.desk.patients import pair_rows
from apps.patients import services
from apps.patients.chart import ages
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.rights import Permission


class AskForm(forms.Form):
    """Asks which record should stay, and why."""

    keep = forms.ChoiceField(label=_("Which record should stay?"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Reason (optional)"),
        required=False,
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What makes you sure, for example: same passport, the patient said so."),
    )

    def __init__(self, pair: DuplicateCandidate, data: Any = None) -> None:
        super().__init__(data)
        people = pair_rows.in_order(pair)
        choices = [(str(row.pk), f"{row.filed_name} · {row.mrn} · {ages.born_and_age(row)}") for row in people]
        cast("forms.ChoiceField", self.fields["keep"]).choices = choices
        self.initial["keep"] = str(people[0].pk)


def _ask(by: Actor, row: DuplicateCandidate, answers: Mapping[str, Any]) -> DuplicateCandidate:
    return services.ask_for_merge(by=by, pair_id=row.pk, keep_id=UUID(answers["keep"]), reason=answers["reason"])


def back_from(request: HttpRequest, row: DuplicateCandidate) -> str:
    """Returns the page to go back to: where the user came from, the queue, or the patient's page."""
    if can_open(request.user, Permission.PATIENT_DUPLICATES):
        return next_page(request) or reverse("admin:patients_duplicatecandidate_changelist")
    return next_page(request) or reverse("admin:patients_patient_change", args=[row.low_id])


def _asked(request: HttpRequest, row: DuplicateCandidate, _result: Any) -> HttpResponse:
    messages.success(request, gettext("The administrators are asked to merge these records."))
    return HttpResponseRedirect(back_from(request, row))


ASK_MERGE = RowAction(
    name="ask-merge",
    label=_("Ask for the merge"),
    permission=Permission.PATIENT_ASK_FOR_MERGE,
    run=_ask,
    question=_(
        "Only an administrator can merge records. The administrators get a notification with your name and a link to this pair. "
        "You cannot take the request back."
    ),
    done="",
    result_page=_asked,
    template="admin/patients/duplicatecandidate/ask_merge.html",
    available=pair_rows.may_ask,
)
