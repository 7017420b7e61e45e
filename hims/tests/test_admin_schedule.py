"""Schedule and queue in a real browser: by keyboard, by pointer, without a script, and while they refresh themselves."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Route

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.appointments import services as appointments
from apps.desk.appointments import queue
from hims.tests import factories
from hims.tests.admin_scenario import AdminScenario, chromium, open_admin, shown
from hims.tests.browser import CHROMIUM

__all__ = ["chromium", "shown"]  # fixtures

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium (apt-get install chromium)"),
]


def test_arrows_lead_through_the_schedule_and_a_free_time_is_booked_by_keyboard(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("receptionist.ward")
    page = here.open(shown.pages["schedule"])
    page.focus(".schedule .slot")
    FOCUSED = "document.activeElement.textContent.trim().split('Book ').pop()"
    first = page.evaluate(FOCUSED)
    for key, start in (("ArrowDown", "Book 09:15"), ("ArrowUp", "Book 09:00"), ("End", ""), ("Home", "Book 09:00")):
        page.keyboard.press(key)
        if start:
            assert page.evaluate("document.activeElement.querySelector('.vh').textContent").startswith(start)
        else:
            assert page.evaluate("document.activeElement.closest('td') !== null")
    assert page.evaluate(FOCUSED) == first
    page.keyboard.press("Enter")
    page.wait_for_url("**/appointment/add/**")
    page.keyboard.type("eve lee")
    page.keyboard.press("Enter")
    page.wait_for_selector("#result_list a")
    here.click("#result_list a")
    assert page.input_value("#id_scheduled_time_1") == "09:00"
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/schedule/**")
    assert "Booked: " in page.inner_text(".messagelist")
    assert not here.complaints
    context.close()


def test_m_and_a_drag_lead_to_the_same_question_before_a_patient_is_moved(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("receptionist.ward")
    page = here.open(shown.pages["schedule"])
    block = page.locator("a.appt[data-move]").first
    block.focus()
    with page.expect_navigation():
        page.keyboard.press("m")
    assert page.evaluate("document.activeElement.matches('.appt.moving')")
    assert "choose a free time" in page.inner_text(".alert.info")
    page.focus(".slot")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    by_key = [page.inner_text("form.question p >> nth=0"), page.is_checked("#id_notify_patient")]
    page = here.open(shown.pages["schedule"])
    with page.expect_navigation():
        page.locator("a.appt[data-move]").first.drag_to(page.locator("a.slot").first)
    assert [page.inner_text("form.question p >> nth=0"), page.is_checked("#id_notify_patient")] == by_key
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    assert "Moved: " in page.inner_text(".messagelist")
    assert urlsplit(page.url).path == reverse("admin:schedule")
    page.locator("a.appt[data-move]").first.focus()
    with page.expect_navigation():
        page.keyboard.press("m")
    with page.expect_navigation():
        page.keyboard.press("Escape")
    assert not page.locator(".moving").count()
    assert not here.complaints
    context.close()


def test_enter_in_a_refused_booking_never_takes_an_alternative(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server, java_script_enabled=False)
    here.sign_in("receptionist.ward")
    page = here.open(shown.pages["book"])
    here.click("button.primary[name=_save]")
    assert page.locator("button[name=alternative]").count() == 3
    page.focus("#id_duration_minutes")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("button[name=alternative]").count() == 3
    here.click("button[name=alternative] >> nth=1")
    assert "Booked: " in page.inner_text(".messagelist")
    context.close()


def test_no_time_of_the_doctor_before_can_be_chosen_while_or_after_the_times_of_another_fail_to_load(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    other = factories.hire("dr.other", "doctor", specialty="Cardiology", last_name="Other")
    factories.publish(other)
    here, context = open_admin(chromium, live_server)
    here.sign_in("receptionist.ward")
    page = here.open(shown.pages["book"])
    times = page.locator("#times input[type=radio]")
    waiting: list[Route] = []

    def keep(route: Route) -> None:
        waiting.append(route)

    page.route("**/appointment/add/**", keep)
    page.locator("#times button[name=look]").last.focus()
    with page.expect_request("**/appointment/add/**"):
        page.keyboard.press("Enter")
    assert times.first.is_disabled()
    with page.expect_response("**/appointment/add/**"):
        waiting.pop().continue_()
    page.wait_for_function("document.activeElement.matches('#times button[name=look]')")
    assert times.first.is_enabled()
    with page.expect_request("**/appointment/add/**"):
        page.select_option("#id_doctor", str(other.pk))
    assert times.first.is_disabled()
    waiting.pop().abort()
    page.wait_for_selector("#times [role=alert]:has-text('Press “Show free times”.')")
    assert times.count() == 0
    page.unroute("**/appointment/add/**")
    page.get_by_role("button", name="Show free times").click()
    page.wait_for_selector("#times label:has-text('Dr Other')")
    assert times.first.is_enabled()
    context.close()


def test_an_absent_doctors_visits_are_moved_and_put_back_by_keyboard_without_javascript(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    factories.publish(factories.hire("dr.other", "doctor", specialty="Cardiology", last_name="Other"))
    here, context = open_admin(chromium, live_server, java_script_enabled=False)
    here.sign_in("receptionist.ward")
    page = here.open(shown.pages["move-visits"])
    page.select_option("#id_to_doctor_id", label=page.locator("#id_to_doctor_id option", has_text="Other").inner_text())
    page.focus("#id_reason")
    page.keyboard.type("Ill")
    with page.expect_navigation():
        page.keyboard.press("Enter")  # looks, and moves nothing
    assert "New times of the appointments" in page.inner_text("#content")
    assert page.input_value("#id_reason") == "Ill"
    page.focus("input[name=_save]")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Appointments moved: 3." in page.inner_text(".messagelist")
    here.click("text=Move the appointments back")
    page.focus("form.question .danger")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Appointments moved back: 3." in page.inner_text(".messagelist")
    assert not here.complaints
    context.close()


# Between a bold wait of three digits and its bar, in pixels.
_WAIT_GAP = """() => {
  const wait = document.querySelector(".queue .wait"), text = document.createRange();
  wait.classList.add("bad");
  wait.firstElementChild.textContent = "130 min";
  text.selectNodeContents(wait.firstElementChild);
  return wait.lastElementChild.getBoundingClientRect().left - text.getBoundingClientRect().right;
}"""


def test_the_queue_keeps_itself_fresh_says_what_changed_and_leaves_the_focus_alone(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("nurse.ward")
    here.page.clock.install()
    page = here.open(shown.pages["queue"])
    ids = page.locator("#result_list tbody tr").evaluate_all("rows => rows.map(row => row.id)")
    first = page.get_attribute(f"#{ids[0]}", "data-who")
    page.locator(f"#{ids[1]} summary").click()
    page.fill(f"#{ids[1]} input[name=triage_reason]", "half a rea")
    came = factories.book_and_check_in(factories.register_patient("Ivy", "Stern"), shown.staff["doctor"], 0, "emergency")
    appointments.cancel(by=SYSTEM, appointment_id=ids[0].removeprefix("visit-"))
    page.clock.fast_forward(15_000)
    page.wait_for_selector(f"#visit-{came.pk}")
    assert page.inner_text("#hims-queue-news").startswith("New: STERN, Ivy, token ")
    assert f"No longer waiting: {first}." in page.inner_text("#hims-queue-news")
    assert page.locator("#result_list tbody tr").evaluate_all("rows => rows.map(row => row.id)") == [
        f"visit-{came.pk}",
        *ids[1:],
    ]
    assert page.evaluate("document.activeElement.closest('tr').id") == ids[1]
    assert page.input_value(f"#{ids[1]} input[name=triage_reason]") == "half a rea"
    page.click("#hims-queue-pause")
    appointments.cancel(by=SYSTEM, appointment_id=came.pk)
    page.clock.fast_forward(45_000)
    assert page.inner_text("#hims-queue-age").startswith("Paused. Updated ")
    assert page.locator(f"#visit-{came.pk}").count() == 1
    page.click("#hims-queue-pause")
    page.wait_for_selector(f"#visit-{came.pk}", state="detached")
    page.focus(f"#{ids[2]} th a")
    appointments.cancel(by=SYSTEM, appointment_id=ids[2].removeprefix("visit-"))
    page.clock.fast_forward(15_000)
    page.wait_for_selector(f"#{ids[2]}.gone")  # a row in use stays
    assert page.evaluate("document.activeElement.closest('tr').id") == ids[2]
    page.set_viewport_size({"width": 1205, "height": 800})  # the narrowest with the wide table
    assert page.evaluate(_WAIT_GAP) >= 8
    assert not here.complaints
    context.close()


def test_the_queue_keeps_telling_how_many_it_does_not_show(
    chromium: Browser, live_server: Any, shown: AdminScenario, monkeypatch: Any
) -> None:
    monkeypatch.setattr(queue, "MOST", 1)
    here, context = open_admin(chromium, live_server)
    here.sign_in("nurse.ward")
    here.page.clock.install()
    page = here.open(shown.pages["queue"])
    more = int(re.search(r"And (\d+) more", page.inner_text("#hims-queue-beyond")).group(1))  # type: ignore[union-attr]
    factories.book_and_check_in(factories.register_patient("Ivy", "Stern"), shown.staff["doctor"], 0)
    page.clock.fast_forward(15_000)
    page.wait_for_selector(f"#hims-queue-beyond:has-text('And {more + 1} more')")
    context.close()


def test_an_empty_queue_in_use_shows_who_came_and_says_it_once(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("nurse.ward")
    here.page.clock.install()
    page = here.open(shown.pages["queue-empty"])
    page.focus("#hims-queue .empty a")
    came = factories.book_and_check_in(
        factories.register_patient("Ivy", "Stern"), User.objects.get(username="free.doctor"), 0, "emergency"
    )
    page.clock.fast_forward(15_000)
    page.wait_for_selector(f"#visit-{came.pk}")
    assert page.get_attribute(f"#visit-{came.pk}", "data-triage") == "Emergency"
    assert page.evaluate("document.activeElement.matches('#hims-queue .empty a')")
    assert "No patients are waiting" not in page.inner_text("#hims-queue")
    assert page.inner_text("#hims-queue-news").startswith("New: STERN, Ivy, token ")
    page.evaluate("document.getElementById('hims-queue-news').textContent = ''")
    with page.expect_response("**part=1**"):
        page.clock.fast_forward(15_000)
    page.wait_for_timeout(300)
    assert not page.inner_text("#hims-queue-news")
    context.close()


def test_an_unattended_queue_is_cleared_when_the_session_ends(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("nurse.ward")
    here.page.clock.install()
    page = here.open(shown.pages["queue"])
    accounts.deactivate(by=shown.staff["admin"], user_id=shown.staff["nurse"].pk)
    page.clock.fast_forward(15_000)
    page.wait_for_url("**/admin/login/**")
    assert not page.locator("#result_list").count()
    context.close()


def test_the_queue_works_without_javascript(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server, java_script_enabled=False)
    here.sign_in("nurse.ward")
    page = here.open(shown.pages["queue"])
    assert not page.locator("#hims-queue-pause").is_visible()
    last = page.locator("#result_list tbody tr").last
    last.locator("summary").click()
    last.locator("select").select_option("emergency")
    with page.expect_navigation():
        last.locator("button:has-text('Change priority')").click()
    assert "The priority is saved." in page.inner_text(".messagelist")
    here.click("text=Refresh")
    assert page.locator("#result_list tbody th .tag:has-text('Emergency')").count() >= 2
    context.close()
