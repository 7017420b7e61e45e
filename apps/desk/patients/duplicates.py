"""Duplicates in the admin: the check before a registration, and the list on the patient's page."""

from collections.abc import Container
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from apps.access.actor import Actor
from apps.common.errors import Conflict, Invalid
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.row_actions import RowAction
from apps.desk.kit.site import can_open
from apps.desk.patients import pair_rows
from apps.patients import selectors, services
from apps.patients.matching import pairs
from apps.patients.matching.duplicates import COMPARED, Match
from apps.patients.matching.models import DuplicateCandidate
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
            context |= {"lookalikes": matches, "lookalike_ids": ",".join(shown)}
            context["lookalike_rows"] = self._lookalike_rows(request, row, matches) if row is not None else []
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

    def queued_lookalikes(self, request: HttpRequest, row: Patient) -> list[dict[str, Any]]:
        """Returns the possible duplicates of the patient as of the last change, for a page that does not compare. One query."""
        if row.merged_into_id or not can_open(request.user, Permission.PATIENT_MATCH):
            return []
        queued = pairs.of_patient(row, visible_to=cast("Actor", request.user))
        request.shown_matches = [str(pairs.match(pair, row).patient.pk) for pair in queued]  # type: ignore[attr-defined]  # the page carries it on the request
        return [self._lookalike(request, row, pairs.match(pair, row), pair) for pair in queued]

    def _lookalike_rows(self, request: HttpRequest, row: Patient, matches: list[Match]) -> list[dict[str, Any]]:
        queued = pairs.of_patient(row, visible_to=cast("Actor", request.user))
        by_other = {pair.high_id if pair.low_id == row.pk else pair.low_id: pair for pair in queued}
        return [self._lookalike(request, row, match, by_other.get(match.patient.pk)) for match in matches]

    def _lookalike(self, request: HttpRequest, row: Patient, match: Match, pair: DuplicateCandidate | None) -> dict[str, Any]:
        """Returns a match with what the user may do: decide that they are two people, merge them, or ask for the merge."""
        at, user = [row.pk], request.user
        other = urlencode({"other": match.patient.mrn})
        ask = f"{reverse('admin:patients_duplicatecandidate_ask_merge', args=[pair.pk])}?next={request.path}" if pair else ""
        merge = f"{reverse('admin:patients_patient_merge', args=at)}?into={match.patient.pk}"
        not_same = f"{reverse('admin:patients_patient_not_same', args=at)}?{other}"
        return {
            "patient": match.patient,
            "url": reverse("admin:patients_patient_change", args=[match.patient.pk]),
            "born": match.patient.born,
            "why": match.reasons_in_words,
            "percent": match.percent,
            "request": pair_rows.request_of(pair) if pair else None,
            "ask_url": ask if pair and pair_rows.may_ask(pair, user) else "",
            "merge_url": merge if can_open(user, Permission.PATIENT_MERGE) else "",
            "not_same_url": not_same if can_open(user, Permission.PATIENT_NOT_SAME) else "",
        }
