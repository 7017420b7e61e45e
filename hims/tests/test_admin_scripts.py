"""The scripts of every page in a real browser: drafts of what is typed, keys, double clicks, and the warning before a page is left."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from apps.desk.models import Draft
from hims.tests import factories
from hims.tests.admin_scenario import AdminScenario, chromium, open_admin, shown
from hims.tests.browser import CHROMIUM

__all__ = ["chromium", "shown"]  # fixtures

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium (apt-get install chromium)"),
]
DRAFTS = "**/admin/drafts/"


def test_a_plan_of_many_appointments_is_stored_as_a_draft_and_saved(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    factories.publish(factories.hire("dr.other", "doctor", specialty="Cardiology", last_name="Other"))
    here, context = open_admin(chromium, live_server)
    here.sign_in("receptionist.ward")
    page = here.open(shown.pages["move-visits"])
    page.select_option("#id_to_doctor_id", label=page.locator("#id_to_doctor_id option", has_text="Other").inner_text())
    page.fill("#id_reason", "Ill")
    here.click(".submit-row button[name=look]")
    assert page.locator("input[name=seen]").count() == 3
    with page.expect_response(DRAFTS) as reply:
        page.fill("#id_reason", "Ill today")
    assert reply.value.status == 200
    here.click("input[name=_save]")
    assert "Appointments moved: 3." in page.inner_text(".messagelist")
    assert not here.complaints
    context.close()


@pytest.mark.parametrize(("length", "status"), [(70_000, 200), (210_000, 413)])
def test_a_long_text_never_blocks_the_save(
    chromium: Browser, live_server: Any, shown: AdminScenario, length: int, status: int
) -> None:
    """A browser sends no more than 64 KiB from a page that is left; the server stores no draft of more than 200,000 characters."""
    here, context = open_admin(chromium, live_server)
    here.sign_in("doctor.ward")
    page = here.open(shown.pages["new-entry"])
    page.locator("#id_detail_note").evaluate("box => box.removeAttribute('maxlength')")
    with page.expect_response(DRAFTS) as reply:
        page.fill("#id_detail_note", "x" * length)
    assert reply.value.status == status
    line = page.locator("#chartentry_form + .draft-line")
    if status == 413:
        assert line.inner_text() == "This text cannot be stored while you type. Save the form to keep it."
    with page.expect_response(lambda answer: "/chartentry/add/" in answer.url):
        page.click("input[name=_save]")
    assert Draft.objects.count() == (status == 200)
    context.close()
