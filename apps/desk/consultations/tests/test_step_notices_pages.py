"""The pages say what a step places nowhere yet."""

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser
from apps.consultations import services
from apps.consultations.steps.definitions import Step
from apps.consultations.tests.factories import save
from apps.consultations.tests.test_step_notices import NUMBERS, TEXTS, FakeOrderHandler, order_handler, quick_visit, read, warned
from apps.desk.consultations import labels
from apps.desk.consultations.tests.test_admin import page, sendable

__all__ = ["order_handler"]  # fixtures
pytestmark = pytest.mark.django_db


@NUMBERS
def test_every_page_says_in_red_that_nothing_follows_and_never_that_it_is_done(staff: dict[str, User], number: int) -> None:
    visit, client = quick_visit(staff), browser(staff["doctor"])
    name, value = {5: ("tests_0_test_code", "CBC"), 8: ("medications_0_name", "Amoxicillin")}[number]
    step, whole = page("step", visit, number), page("change", visit)
    warning = f"<p><b>{TEXTS[number]}"
    assert warning in read(client, step)
    assert TEXTS[number] not in read(client, whole)
    saved = client.post(step, sendable(client.get(step).context["form"]) | {name: value}, follow=True).content.decode()
    assert f'<li class="error">{labels.step(Step(number))}: the text is saved. {TEXTS[number]}' in saved
    label = {5: "not ordered", 8: "not checked, not prescribed"}[number]
    for address in (step, whole):
        shown = read(client, address)
        assert f'<small class="bad">{label}</small>' in shown
        assert TEXTS[number] in shown
    assert TEXTS[number] in read(client, page("complete", visit))
    services.complete(by=staff["doctor"], consultation_id=visit.row.pk)
    for address in (step, whole):
        assert warning in read(client, address)


@NUMBERS
def test_once_a_handler_is_registered_the_texts_are_gone(
    staff: dict[str, User], number: int, order_handler: FakeOrderHandler
) -> None:
    visit, client = quick_visit(staff), browser(staff["doctor"])
    step = page("step", visit, number)
    assert TEXTS[number] not in read(client, step)
    save(staff["doctor"], visit, number)
    assert warned(api_client(staff["doctor"]).get(f"/consultations/{visit.row.pk}")) == []
    for address in (step, page("change", visit), page("complete", visit)):
        shown = read(client, address)
        assert TEXTS[number] not in shown
        assert '<small class="bad">' not in shown
