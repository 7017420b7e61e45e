"""Does the jobs of the desk with real clicks and keys in a browser, and counts them.

A click is a pointer press, or a key that activates a control: Enter, Space, Ctrl+Enter. Typing and Tab are none. A job starts at
the home page of the role, or at the page named in its test, signed in. To add a job, write a test that performs it in
`Desk.job(...)`. `HANDS` runs a test twice: by pointer, and by keyboard alone, where `Hands.click` presses Tab until the control
has the focus, which must be visible, and then the key that activates it. `conftest.py` makes the fixtures known.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import time
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from playwright.sync_api import ElementHandle, Page

from apps.accounts.models import User
from apps.patients.models import Patient
from hims.tests import factories
from hims.tests.browser import CHROMIUM, chromium, watched

POINTER, KEYBOARD = "pointer", "keyboard"
HANDS = pytest.mark.parametrize("desk", [POINTER, KEYBOARD], indirect=True)
# By keyboard only with `make test-all`: jobs whose pages others open by keyboard too.
HANDS_FULL = pytest.mark.parametrize("desk", [POINTER, pytest.param(KEYBOARD, marks=pytest.mark.full)], indirect=True)
IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium (apt-get install chromium)"),
]
ACTIVATES = {"Enter", "Space", "Control+Enter"}
TABS = 90  # to a control of the same page; the menu, the search and the schedule of a day come before it
KEYS = {POINTER: 60, KEYBOARD: 320}  # pressed in a job, except typed characters
_IS_FOCUSED = "one => one === document.activeElement"
_IS_BOX = "one => one.matches('input[type=radio], input[type=checkbox]')"
_LEADS_ON = "one => one.matches('a[href], button:not([type=button]), input[type=submit]')"
# The focus has a ring, on the control or on its label, within the window, and nothing covers it.
_FOCUS = """one => {
  const drawn = [one, one.closest("label"), one.closest("label")?.querySelector("span")].filter(Boolean).some(part => {
    const style = getComputedStyle(part);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  });
  if (!drawn) return "has no ring";
  const box = one.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + Math.min(box.height / 2, 12);
  if (x < 0 || x > innerWidth || y < 0 || y > innerHeight) return "is outside of the window";
  const top = document.elementFromPoint(x, y), label = one.closest("label");
  if (!top || one.contains(top) || top.contains(one) || (label && label.contains(top))) return "";
  return `is covered by ${top.outerHTML.slice(0, 100)}`;
}"""


@dataclass
class Count:
    """What a job took, of what it may take."""

    clicks: int
    keys: int
    budget: int


Results = dict[tuple[str, str], dict[str, Count]]  # by role and job, then by pointer or keyboard


@dataclass
class Hands:
    """What a user does on a page, counted."""

    page: Page
    by: str = POINTER
    clicks: int = 0
    keys: int = 0  # pressed, except typed characters

    def click(self, selector: str) -> None:
        """Activates the first element that matches, and waits for the page that it opens."""
        wanted = self.page.locator(selector).first
        if self.by == KEYBOARD:
            self.go_to(selector)
        with self.page.expect_navigation() if wanted.evaluate(_LEADS_ON) else nullcontext():
            if self.by == KEYBOARD:
                self.press("Space" if wanted.evaluate(_IS_BOX) else "Enter")
            else:
                self.clicks += 1
                wanted.click()

    def choose(self, selector: str, option: str) -> None:
        """Chooses an option of a list by typing the beginning of its text, with the focus in the list."""
        self.go_to(selector)
        self.type(option)

    def press(self, key: str) -> None:
        """Presses a key where the focus is. Enter and Space activate a control, which is a click."""
        self.keys += 1
        self.clicks += key in ACTIVATES
        self.page.keyboard.press(key)
        self.page.wait_for_load_state()

    def type(self, text: str) -> None:
        """Types where the focus is."""
        self.page.keyboard.type(text)

    def go_to(self, selector: str) -> int:
        """Presses Tab until the first element that matches has the focus. Returns how often."""
        wanted = self.page.locator(selector).first.element_handle()
        presses = 0
        while not wanted.evaluate(_IS_FOCUSED):
            assert presses < TABS, f"{selector} has no focus after {presses} Tabs"
            self.page.keyboard.press("Tab")
            presses += 1
        self.keys += presses
        self._check_focus(wanted, selector)
        return presses

    def _check_focus(self, wanted: ElementHandle, selector: str) -> None:
        trouble = wanted.evaluate(_FOCUS)
        assert not trouble, f"the focus on {selector} {trouble}"


@dataclass
class Desk:
    """A user's signed-in browser, and the jobs that it has done."""

    page: Page
    base: str
    by: str = POINTER
    results: Results = field(default_factory=dict)

    def open(self, page: str, query: str = "", *args: Any) -> None:
        self.page.goto(f"{self.base}{reverse(page, args=args)}{query}")

    def sign_in(self, user: User) -> None:
        self.open("admin:login", "?next=/admin/")
        self.page.fill("#id_username", user.username)
        self.page.fill("#id_password", factories.PASSWORD)
        self.page.press("#id_password", "Enter")
        self.page.wait_for_url(f"{self.base}/admin/")

    @contextmanager
    def job(self, role: str, name: str, *, clicks: int) -> Iterator[Hands]:
        """Counts what the job takes, and fails above the budget."""
        hands = Hands(self.page, self.by)
        yield hands
        self.results.setdefault((role, name), {})[self.by] = Count(hands.clicks, hands.keys, clicks)
        assert hands.clicks <= clicks, f"{name} took {hands.clicks} clicks"
        assert hands.keys <= KEYS[self.by], f"{name} took {hands.keys} keys"


def table(results: Results) -> str:
    """Returns the counts of all jobs as text."""
    rows = [("Role", "Job", "Budget", "Clicks", "Keys", "Clicks by keyboard", "Keys")]
    for (role, job), counts in results.items():
        budget = next(iter(counts.values())).budget
        shown = [counts.get(by) for by in (POINTER, KEYBOARD)]
        cells = [(str(one.clicks), str(one.keys)) if one else ("", "") for one in shown]
        rows.append((role, job, str(budget), *cells[0], *cells[1]))
    widths = [max(len(row[place]) for row in rows) + 2 for place in range(7)]
    return "\n".join("".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


@pytest.fixture(scope="session")
def results() -> Iterator[Results]:
    """What the jobs took; the table is printed at the end."""
    counted: Results = {}
    yield counted
    print(f"\n{table(counted)}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in this thread
    with chromium() as one:
        yield one
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def morning() -> Iterator[None]:
    """Ten o'clock next Monday, and the clock runs: the doctor works, and today has free times."""
    with time_machine.travel(factories.at("10:00")):
        yield


@pytest.fixture
def staff(morning: None) -> dict[str, User]:
    people = factories.create_staff()
    factories.publish(people["doctor"], weekdays=7, starts=time(8), ends=time(20))
    return people


@pytest.fixture
def john(staff: dict[str, User]) -> Patient:
    return factories.register_patient(phone="(415) 555-0134", email="john@example.com")


@pytest.fixture
def desk(request: pytest.FixtureRequest, browser: Any, live_server: Any, results: Results, morning: None) -> Iterator[Desk]:
    """A browser at the desk; by pointer, unless the test is parametrized with `HANDS`."""
    with watched(browser, viewport={"width": 1280, "height": 800}) as one:
        yield Desk(one.page, live_server.url, getattr(request, "param", POINTER), results)
        assert not one.errors
        assert not one.foreign_hosts
        assert not one.stopped()
