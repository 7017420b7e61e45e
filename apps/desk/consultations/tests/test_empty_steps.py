"""A step without an entry is not done, unless the user says that there is nothing to note."""

import pytest
from django.http import HttpResponse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.consultations.models import StepSave
from apps.consultations.rules import State, Workflow
from apps.consultations.selectors import ConsultationDetails, details
from apps.consultations.steps.definitions import Step
from apps.consultations.tests.factories import start_consultation
from apps.desk.consultations.step_forms import MAY_BE_EMPTY, NOTHING
from apps.desk.consultations.tests.test_admin import page
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db

STEPS = [step for step in Step if step is not Step.REVIEW_SIGN]


@pytest.fixture
def visit(staff: dict[str, User]) -> ConsultationDetails:
    return start_consultation(staff["doctor"], register_patient(), Workflow.QUICK)


def post(staff: dict[str, User], visit: ConsultationDetails, step: Step, **values: str) -> HttpResponse:
    latest = StepSave.objects.filter(consultation=visit.row, number=step).order_by("-version").first()
    sent = {"version": str(latest.version if latest else 0), **values}
    return browser(staff["doctor"]).post(page("step", visit, int(step)), sent)


def is_done(visit: ConsultationDetails, step: Step) -> bool:
    (progress,) = [one for one in details(visit.row).progress.steps if one.step is step]
    return progress.state == State.COMPLETED


@pytest.mark.parametrize("step", STEPS)
def test_an_empty_form_goes_on_and_does_not_complete_its_step(
    staff: dict[str, User], visit: ConsultationDetails, step: Step
) -> None:
    response = post(staff, visit, step)
    assert response.status_code == 302
    assert not is_done(visit, step)
    assert not StepSave.objects.exists()
    text = browser(staff["doctor"]).get(page("step", visit, int(step))).content.decode()
    assert "done" not in text.split('aria-current="step"')[1].split("</li>")[0]


@pytest.mark.parametrize("step", sorted(MAY_BE_EMPTY))
def test_nothing_to_note_completes_a_step_and_is_shown_again(
    staff: dict[str, User], visit: ConsultationDetails, step: Step
) -> None:
    assert post(staff, visit, step, **{NOTHING: "on"}).status_code == 302
    assert is_done(visit, step)
    form = browser(staff["doctor"]).get(page("step", visit, int(step))).context["form"]
    assert form[NOTHING].value() is True
    post(staff, visit, step)
    assert not is_done(visit, step)


@pytest.mark.parametrize("step", sorted(set(STEPS) - MAY_BE_EMPTY))
def test_a_step_that_needs_an_entry_has_no_such_box(staff: dict[str, User], visit: ConsultationDetails, step: Step) -> None:
    assert NOTHING not in browser(staff["doctor"]).get(page("step", visit, int(step))).content.decode()
    post(staff, visit, step, **{NOTHING: "on"})
    assert not is_done(visit, step)


def test_nothing_to_note_and_an_entry_contradict_each_other(staff: dict[str, User], visit: ConsultationDetails) -> None:
    response = post(staff, visit, Step.FOLLOW_UP, instructions="Drink more", **{NOTHING: "on"})
    assert "Remove it, or untick this box." in response.content.decode()
    assert not StepSave.objects.exists()


def test_a_step_that_was_emptied_is_not_done_any_more(staff: dict[str, User], visit: ConsultationDetails) -> None:
    post(staff, visit, Step.PATIENT_OVERVIEW, identity_confirmed="on")
    assert is_done(visit, Step.PATIENT_OVERVIEW)
    post(staff, visit, Step.PATIENT_OVERVIEW)
    assert not is_done(visit, Step.PATIENT_OVERVIEW)


def test_a_pain_of_zero_is_an_entry(staff: dict[str, User], visit: ConsultationDetails) -> None:
    post(staff, visit, Step.VITALS, pain="0")
    assert is_done(visit, Step.VITALS)
