"""The scripts of every page in a real browser: drafts, keys, double clicks, the warning before a page is left."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Route

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


def last_section(shown: AdminScenario) -> str:
    return shown.pages["consultation-vitals"].replace("/step/1/", "/step/9/")


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
    """A browser sends at most 64 KiB from a page that is left; the server stores no draft of more than 200,000 characters."""
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
    here.click("input[name=_save]")
    assert Draft.objects.count() == (status == 200)
    context.close()


# Presses the first button that calls a patient in, twice. Returns how many forms the page wants to send, and sends none.
PRESS_TWICE = """() => {
  const button = document.querySelector("tbody form[action$='/call-in/'] button");
  let sent = 0;
  const count = event => { sent += !event.defaultPrevented; event.preventDefault(); };
  window.addEventListener("submit", count);
  button.click();
  button.click();
  window.removeEventListener("submit", count);
  return sent;
}"""


def test_a_double_click_calls_in_once_and_a_stopped_load_leaves_no_dead_button(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("nurse.ward")
    here.page.clock.install()
    for address in (shown.pages["index"], shown.pages["queue"]):
        page = here.open(address)
        assert page.evaluate(PRESS_TWICE) == 1, address
        assert page.evaluate(PRESS_TWICE) == 0, address
        page.clock.fast_forward(10_000)
        assert page.evaluate(PRESS_TWICE) == 1, address
    context.close()


# Whether the browser would ask before the page is left.
WARNS = """() => {
  const leaving = new Event("beforeunload", {cancelable: true});
  window.dispatchEvent(leaving);
  return leaving.defaultPrevented;
}"""


def test_a_visit_warns_before_it_is_left_only_after_a_refused_save(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("doctor.ward")
    page = here.open(last_section(shown))
    page.locator("#id_instructions").press_sequentially("Rest")
    assert page.evaluate(WARNS)
    page.keyboard.press("Tab")
    page.get_by_text("Draft saved").wait_for()
    assert not page.evaluate(WARNS)
    with page.expect_response(DRAFTS):
        page.fill("#id_follow_up_date", "2020-01-01")
        page.keyboard.press("Tab")
    page.get_by_text("Not saved", exact=True).wait_for()
    assert page.evaluate(WARNS)
    page.fill("#id_follow_up_date", "")
    page.keyboard.press("Tab")
    page.get_by_text("Draft saved").wait_for()
    assert not page.evaluate(WARNS)
    context.close()


def test_what_is_typed_while_a_save_is_on_its_way_is_not_taken_for_saved(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("doctor.ward")
    page = here.open(last_section(shown))
    saves: list[Route] = []
    page.route("**/step/9/", lambda route: route.fallback() if saves else saves.append(route))
    page.route(DRAFTS, lambda route: route.abort())
    page.locator("#id_instructions").press_sequentially("Rest")
    page.keyboard.press("Tab")
    page.wait_for_timeout(200)
    page.locator("#id_instructions").press_sequentially(" and fluids")
    saves[0].fallback()
    page.get_by_text("Draft saved").wait_for()
    assert page.evaluate(WARNS)
    context.close()


@pytest.mark.parametrize(
    ("box", "text", "reply"), [("instructions", "Rest", "Draft saved"), ("follow_up_date", "2020-01-01", "Not saved")]
)
def test_an_idle_page_goes_without_a_question(
    chromium: Browser, live_server: Any, shown: AdminScenario, box: str, text: str, reply: str
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("doctor.ward")
    here.page.clock.install()
    page = here.open(last_section(shown))
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.locator(f"#id_{box}").press_sequentially(text)
    page.keyboard.press("Tab")
    page.locator("#visit-saved", has_text=reply).wait_for()
    page.clock.fast_forward(2_000)
    page.wait_for_timeout(300)
    with page.expect_event("framenavigated"):
        page.clock.fast_forward(1_000_000)
    page.wait_for_load_state()
    assert not asked
    context.close()


# Counts the forms that the page wants to send, and sends none.
COUNT_SENT = """() => {
  window.sent = 0;
  document.addEventListener("submit", event => { window.sent += 1; event.preventDefault(); }, true);
}"""


def test_ctrl_enter_sends_once_a_press_and_signs_only_from_within_the_form(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("doctor.ward")
    page = here.open(shown.pages["consultation"])
    page.evaluate(COUNT_SENT)
    page.keyboard.press("Control+Enter")  # the focus is nowhere
    page.focus("#hims-search")
    page.keyboard.press("Control+Enter")
    assert page.evaluate("window.sent") == 0
    page.focus("#visit-form .bar-end input")
    page.keyboard.press("Control+Enter")
    assert page.evaluate("window.sent") == 1
    page = here.open(shown.pages["consultation-vitals"])
    page.evaluate(COUNT_SENT)
    page.keyboard.down("Control")
    for _ in range(3):  # pressed, and then repeated by the keyboard
        page.keyboard.down("Enter")
    assert page.evaluate("window.sent") == 1
    context.close()


def test_a_draft_is_stored_while_the_typing_goes_on_and_before_the_form_is_sent(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("doctor.ward")
    page = here.open(shown.pages["new-entry"])
    with page.expect_response(DRAFTS):
        for _ in range(14):  # never a pause of a second
            page.locator("#id_display").press_sequentially("a ")
            page.wait_for_timeout(400)
    page.locator("#id_display").press_sequentially("Latex")
    page.route("**/chartentry/add/**", lambda route: route.fulfill(status=502, body="Bad gateway"))
    here.click("input[name=_save]")
    assert page.inner_text("body") == "Bad gateway"
    draft = Draft.objects.get()
    assert draft.fields["display"] == ["a " * 14 + "Latex"]
    context.close()


def test_a_slow_server_delays_a_save_only_shortly(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("doctor.ward")
    page = here.open(shown.pages["new-entry"])
    drafts: list[str] = []
    page.route(DRAFTS, lambda route: drafts.append(route.request.url))  # and never a reply
    page.fill("#id_display", "Latex")
    here.click("input[name=_save]")
    assert "Latex" in page.inner_text(".allergy.has")
    assert drafts
    context.close()
