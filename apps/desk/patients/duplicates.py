"""Duplicates in the admin: the check before a registration, and the list on the patient's page."""

from collections.abc import Container
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from apps.access.actor import Actor
from apps.common.errors import Conflict, Invalid
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.patients import selectors, services
from apps.patients.matching.duplicates import COMPARED, Match
from apps.patients.models import Patient
from apps.patients.rights import Permission
from apps.patients.services import Registration

TICKED = "not_same"


class MatchesNotReviewed(Conflict):
    """The user has not confirmed yet that these are other people."""

    message = "Nothing has been saved yet: this patient may already be registered. Check the list above the form."


class OtherForm(forms.Form):
    """Names the other record."""

    other = forms.CharField(max_length=40, label="MRN of the other person")


def _not_same(by: Actor, row: Patient, mrn: str) -> None:
    other = selectors.by_mrn(by, mrn.strip())
    if other is None:
        raise Invalid(field="other", issue="No patient has this MRN.")
    try:
        services.mark_not_duplicate(by=by, patient_id=row.pk, other_id=other.pk)
    except Invalid as problem:
        raise Invalid(field="other", issue=str(problem.details["issue"])) from problem


NOT_SAME = RowAction(
    name="not-same",
    label="Not the same person",
    permission=Permission.PATIENT_NOT_SAME,
    form=OtherForm,
    run=lambda by, row, answers: _not_same(by, row, answers["other"]),
    question="You compared both records, and they are two people. This is recorded under your name.",
    done="Recorded as two people. They are no longer suggested as duplicates.",
)


def form_id(request: HttpRequest) -> UUID | None:
    """Returns the id that the form has for the new patient: a form that is sent twice cannot register twice."""
    try:
        return UUID(request.POST.get("new_id", ""))
    except ValueError:
        return None


class DuplicateCheckMixin(HimsModelAdmin[Patient]):
    """The part of the patient's page that handles duplicates."""

    def register(self, request: HttpRequest, registration: Registration) -> Patient:
        """Registers the patient, unless a recorded patient is likely the same person and was not ticked. Raises
        MatchesNotReviewed."""
        by = cast("Actor", request.user)
        matches = selectors.likely_matches(visible_to=by, person=services.described_person(registration))
        dismissed = set(request.POST.get(TICKED, "").split(","))
        if any(str(match.patient.pk) not in dismissed for match in matches):
            raise MatchesNotReviewed(matches=matches)
        others = [match.patient.pk for match in matches]
        try:
            return services.register_despite_matches(
                by=by, registration=registration, others=others, patient_id=form_id(request)
            ).patient
        except services.UnreviewedMatches as refusal:  # registered by a colleague since the list was shown
            raise MatchesNotReviewed(matches=refusal.details["matches"]) from refusal

    def warn_of_matches(self, request: HttpRequest, row: Patient, changes: Container[str]) -> None:
        """Warns after an edit which patients are now similar."""
        if any(name in changes for name in COMPARED) and (matches := self._of_record(request, row)):
            people = ", ".join(str(match.patient) for match in matches)
            messages.warning(
                request,
                f"This may be the same person as {people}. Compare the records, then merge them or confirm that they "
                "are different.",
            )

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        """Renders the form, and above it the likely duplicates."""
        row = context["original"]
        matches = self._of_record(request, row) if row is not None else self._of_refusal(request)
        if matches:
            request.shown_matches = shown = [str(match.patient.pk) for match in matches]  # type: ignore[attr-defined]  # the page carries it on the request
            context |= {"lookalikes": matches, "lookalike_ids": ",".join(shown), **self._action_urls(request, row)}
            if row is None:
                self.record_access(request, "matched", shown=len(shown), patients=shown)
        return super().render_change_form(request, context, *args, **kwargs)

    def record_access(self, request: HttpRequest, action: str, row: Any = None, **detail: Any) -> None:
        """Writes one audit row per view: it includes the other patients that the page shows."""
        lookalikes = getattr(request, "shown_matches", None) if action == "read" else None
        super().record_access(request, action, row, **(detail | {"lookalikes": lookalikes} if lookalikes else detail))

    def _of_record(self, request: HttpRequest, row: Patient) -> list[Match]:
        if row.merged_into_id or not can_open(request.user, Permission.PATIENT_MATCH):
            return []
        return selectors.duplicates_of(row, visible_to=cast("Actor", request.user))

    def _of_refusal(self, request: HttpRequest) -> list[Match]:
        refusal = getattr(request, "refusal", None)
        return refusal.details["matches"] if isinstance(refusal, MatchesNotReviewed) else []

    def _action_urls(self, request: HttpRequest, row: Model | None) -> dict[str, str]:
        """Returns the addresses for deciding that they are two people, or for merging them."""
        row_actions = self.available_row_actions(request, row) if row is not None else []
        urls = {str(row_action["url"]).rstrip("/").rpartition("/")[2]: row_action["url"] for row_action in row_actions}
        return {"not_same_url": urls.get(NOT_SAME.name, ""), "merge_url": urls.get("merge", "")}
