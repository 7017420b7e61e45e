"""The admin in a real browser: the strict CSP holds, no other host is asked, axe finds nothing, the keyboard suffices."""

import re
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from apps.accounts import services as accounts
from apps.patients import services as patients
from apps.patients.models import Patient
from hims.tests import factories
from hims.tests.admin_scenario import AdminScenario, chromium, half_way, open_admin, picture, shown
from hims.tests.browser import CHROMIUM

__all__ = ["chromium", "shown"]  # fixtures

RULES = {
    "light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},  # what a colour scheme can change
}
# Carries axe into the page once, for both schemes.
_AXE = Axe().axe_script
# A link that is still on its way from one scheme's colour to the other's is taken there first.
# Of what a page loads, axe reads only sounds and films once more: the policy would stop the copy of a stylesheet.
_RUN = """only => {
  document.getAnimations().forEach(moving => moving.finish());
  return axe.run({runOnly: only, resultTypes: ["violations"], preload: {assets: ["media"]}}).then(results => results.violations);
}"""

_TOO_WIDE = """() => [...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > innerWidth + 1)
  .map(one => one.outerHTML.slice(0, 100)).slice(0, 3)"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium (apt-get install chromium)"),
]


def reasons(node: dict[str, Any]) -> str:
    return "; ".join(check["message"] for check in [*node["any"], *node["all"], *node["none"]])


@pytest.mark.parametrize("width", [1280, *(pytest.param(width, marks=pytest.mark.full) for width in (1024, 390))])
def test_every_page_keeps_the_strict_policy_asks_no_other_host_and_axe_finds_nothing_in_either_colour_scheme(
    chromium: Browser, live_server: Any, shown: AdminScenario, settings: Any, width: int
) -> None:
    """One visit to each page tries all, because the visits take most of the time."""
    here, context = open_admin(chromium, live_server)
    here.page.set_viewport_size({"width": width, "height": 900})
    problems = []

    def look(name: str) -> None:
        here.page.evaluate(_AXE)
        for scheme, rules in RULES.items():
            here.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            picture(here.page, f"{name}-{scheme}")
            for rule in here.page.evaluate(_RUN, rules):
                problems.extend(f"{name}, {scheme}: {rule['id']} {node['html'][:120]} {reasons(node)}" for node in rule["nodes"])
        if (wide := here.page.evaluate("document.documentElement.scrollWidth")) > width:
            problems.append(f"{name}: {wide} pixels wide, in a window of {width}: {here.page.evaluate(_TOO_WIDE)}")
        problems.extend(f"{name}: {complaint}" for complaint in here.complaints)
        here.complaints.clear()

    here.open("/admin/login/")
    look("login")
    here.page.fill("#id_username", "nobody")
    here.page.fill("#id_password", "wrong")
    with here.page.expect_navigation():
        here.page.press("#id_password", "Enter")
    look("login-refused")
    here.open("/admin/password-forgot/")
    look("forgot")
    here.open(accounts.create_password_link(user_id=shown.staff["lab_technician"].pk).partition(":8000")[2])
    look("reset")
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset({"nurse"})
    half_way(here, "nurse.ward")
    look("enrol")
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset()
    half_way(here, factories.enable_totp(shown.staff["doctor"]).username)
    look("code")
    here.sign_in("admin.ward")
    for name, address in shown.pages.items():
        response = here.page.goto(here.base + address)
        assert response, name
        if "script-src 'self'; " not in response.headers["content-security-policy"] + "; ":
            problems.append(f"{name}: {response.headers['content-security-policy']}")
        if name == "nowhere":
            here.complaints = [message for message in here.complaints if "404" not in message]
        look(name)
    lasts, settings.REAUTHENTICATION_LIFETIME = settings.REAUTHENTICATION_LIFETIME, timedelta(0)
    here.open(shown.pages["reset-mfa"])
    assert "Confirm your password" in here.page.content()
    look("proof")
    settings.REAUTHENTICATION_LIFETIME = lasts
    here.open(shown.pages["register"])
    here.click("form[method=post] button.primary")
    look("register-refused")
    here.open(shown.pages["book"])
    here.click("button.primary[name=_save]")
    look("book-taken")
    here.open(shown.pages["series-book"])
    here.click("button[name=preview]")
    look("series-preview")
    here.click("input[name=_save]")
    look("series-taken")
    here.open(shown.pages["move-visits"])
    here.click(".submit-row button[name=look]")
    look("move-plan")
    here.click("input[name=_save]")
    look("move-refused")
    context.close()
    assert not problems, f"{len(problems)} problems\n" + "\n".join(problems)


def test_a_second_factor_is_set_up_at_the_door_without_javascript(
    chromium: Browser, live_server: Any, shown: AdminScenario, settings: Any
) -> None:
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset({"nurse"})
    here, context = open_admin(chromium, live_server, java_script_enabled=False)
    page = half_way(here, "nurse.ward")
    assert page.locator(".qr svg").bounding_box()["width"] > 100  # type: ignore[index]
    page.fill("#id_code", factories.code(page.inner_text(".key")))
    with page.expect_navigation():
        page.press("#id_code", "Enter")
    assert page.locator(".codes li").count() == 10
    picture(page, "recovery-codes")
    page.click("#content-main .btn.primary")
    page.wait_for_url(here.base + "/admin/")
    assert not here.complaints
    context.close()


def test_two_people_at_one_record_see_both_versions(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("receptionist.ward")
    page = here.open(shown.pages["patient"])
    page.fill("#id_city", "Berkeley")
    patients.amend(by=shown.staff["nurse"], patient_id=shown.patient.pk, changes={"city": "San Jose"})
    here.click("input[name=_save]")
    assert "Changed by Nurse.Ward Tester" in page.inner_text(".alert.ack")
    assert page.input_value("#id_city") == "Berkeley"
    assert page.title().startswith("Error:")
    picture(page, "clash")
    here.click("input[name=_save]")
    assert Patient.objects.get(pk=shown.patient.pk).city == "Berkeley"
    assert not here.complaints
    context.close()


def test_a_patient_is_found_registered_and_charted_by_keyboard_alone(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("doctor.ward")
    page = here.open(shown.pages["doctors"])
    page.keyboard.press("/")
    page.keyboard.type("mrn001")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    assert "DOE, John" in page.inner_text(".banner")
    assert "Penicillin" in page.inner_text(".allergy.has")

    here.open(shown.pages["patients"])
    second = re.search(r"MRN\d+", page.locator("#result_list tbody tr").nth(1).inner_text())
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    assert second
    assert second.group() in page.inner_text(".banner")

    here.open(shown.pages["new-entry"])
    page.fill("#id_display", "Latex")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/chartentry/?patient=*")
    assert "Latex" in page.inner_text(".allergy.has")
    assert not here.complaints
    context.close()


def test_single_keys_can_be_switched_off(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("nurse.ward")
    page = here.open(shown.pages["patients"])
    page.click("#user-tools summary")
    assert page.locator("#hims-keys-help").is_visible()
    page.click("#hims-keys")
    assert not page.locator("#hims-keys-help").is_visible()
    page.locator("h1").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "hims-search"
    page.click("#hims-keys")
    page.locator("h1").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "hims-search"
    context.close()


def test_pages_fit_a_narrow_screen(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("admin.ward")
    here.page.set_viewport_size({"width": 320, "height": 800})
    wide = []
    narrow = "index patients patient merge suspected new-entry hire schedule queue book week series series-book move move-visits"
    for name in [*narrow.split(), "consultation", "notifications", "history"]:
        page = here.open(shown.pages[name])
        picture(page, f"{name}-narrow")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 320:
            wide.append(f"{name}: {width}")
    context.close()
    assert not wide, wide


# Opens the menus of the page and of its rows, one after the other; returns the boxes that are not within the window.
_OUT_OF_WINDOW = """() => [...document.querySelectorAll(".row-acts details.menu, .head details.menu")].flatMap(menu => {
  menu.open = true;
  const box = menu.querySelector(".pop").getBoundingClientRect();
  menu.open = false;
  return box.width > 0 && box.left >= 0 && box.right <= innerWidth ? [] : [`${Math.round(box.left)} to ${Math.round(box.right)}`];
})"""


@pytest.mark.parametrize("language", ["en", "ar"])
def test_open_menus_fit_a_narrow_screen(chromium: Browser, live_server: Any, shown: AdminScenario, language: str) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("doctor.ward")
    context.add_cookies([{"name": "django_language", "value": language, "url": here.base}])
    outside, menus = [], 0
    for name in (
        shown.pages["index"],
        shown.pages["queue"],
        shown.pages["chart"],
        shown.pages["consultation"],
        shown.pages["visit"],
    ):
        page = here.open(name)
        menus += page.locator(".row-acts details.menu, .head details.menu").count()
        for width in (320, 390, 760):
            page.set_viewport_size({"width": width, "height": 800})
            outside += [f"{name}, {width}: {box}" for box in page.evaluate(_OUT_OF_WINDOW)]
    context.close()
    assert menus > 5
    assert not outside, outside
