"""The rail of a visit: its eleven sections with their states in words. It shows where the user is and never moves by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from apps.common import clinic_times
from apps.consultations.models import Consultation, StepSave
from apps.consultations.rules import State, StepState
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.steps import notices
from apps.consultations.steps.definitions import Step
from apps.desk.consultations import labels

_PAGE = "admin:consultations_consultation_"


@dataclass(frozen=True)
class RailEntry:
    """A section in the rail. `css` and `icon` draw the state, `word` says it; `note` says who saved it, or why it is skipped."""

    number: int
    name: str
    url: str
    css: str
    icon: str
    word: str
    note: str
    is_here: bool
    warning: str = ""


def step_url(row: Consultation, step: Step) -> str:
    """Returns the page on which a section is read and saved; for the last one the review."""
    if step is Step.REVIEW_SIGN:
        return reverse(f"{_PAGE}change", args=[row.pk])
    return reverse(f"{_PAGE}step", args=[row.pk, int(step)])


def entries(
    consultation: ConsultationDetails, here: Step | None, *, mine: frozenset[Step], people: Mapping[Any, str]
) -> list[RailEntry]:
    """Returns the eleven sections. `mine` are those that the user may save: only they can need the user."""
    return [_entry(consultation, one, here, one.step in mine, people) for one in consultation.progress.steps]


def next_section(consultation: ConsultationDetails, step: Step, mine: frozenset[Step]) -> Step:
    """Returns the section to open after this one: the next of the fixed order that is neither done nor skipped and that the user
    may save, or else the review. Never an earlier one."""
    ended = (State.COMPLETED, State.SKIPPED)
    later = (one for one in consultation.progress.steps if one.step > step and one.state not in ended)
    return next((one.step for one in later if one.step in mine), Step.REVIEW_SIGN)


def open_section(consultation: ConsultationDetails, mine: frozenset[Step], *, measures_first: bool) -> Step:
    """Returns the first section that is neither done nor skipped and that the user may save, or else the review.

    With `measures_first` the vitals come before the others: what a nurse does as soon as the patient is in the room.
    """
    states = {one.step: one.state for one in consultation.progress.steps}
    left = [step for step in sorted(mine) if states[step] not in (State.COMPLETED, State.SKIPPED)]
    if measures_first and Step.VITALS in left:
        return Step.VITALS
    return left[0] if left else Step.REVIEW_SIGN


def _entry(
    consultation: ConsultationDetails, one: StepState, here: Step | None, is_mine: bool, people: Mapping[Any, str]
) -> RailEntry:
    save = consultation.saves.get(one.step)
    notice = notices.of_save(save)
    css, icon, word, note = _state(one, save, is_mine, people)
    if one.step is here:
        css, icon, word = "now", "right", gettext("now") if css != "done" else gettext("now, done")
    if notice:
        css, icon, note = css if css == "now" else "need", "warning", ""
    return RailEntry(
        number=int(one.step),
        name=labels.step(one.step),
        url=step_url(consultation.row, one.step),
        css=css,
        icon=icon,
        word=word,
        note=note,
        is_here=one.step is here,
        warning=notice.label if notice else "",
    )


def _state(one: StepState, save: StepSave | None, is_mine: bool, people: Mapping[Any, str]) -> tuple[str, str, str, str]:
    """Returns class, icon, word and note of a section that is not open."""
    if one.is_completed:
        return "done", "done", gettext("done"), _saved(save, people)
    if one.state is State.SKIPPED:
        return "", "minus", gettext("skipped"), gettext("Skipped: %(why)s") % {"why": one.reason}
    draft = gettext("Draft, %(time)s") % {"time": clinic_times.clock_time(save.saved_at)} if save else ""
    if one.required and is_mine:
        return "need", "warning", gettext("needs you"), draft or gettext("Needed")
    return "", "todo", gettext("to do"), draft or (gettext("Needed") if one.required else "")


def _saved(save: StepSave | None, people: Mapping[Any, str]) -> str:
    if save is None:
        return ""
    return f"{people.get(save.saved_by_id, '')} {clinic_times.clock_time(save.saved_at)}".strip()
