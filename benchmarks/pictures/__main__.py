"""Signs in to a running sandbox as each role, and saves pictures of its pages to docs/pictures.

The sandbox must run (`make run`); --port says where. Pages are reached as a user reaches them: from the home page by links. A
picture has the name of the page of the design that it realises (docs/pictures.md shows both), or of its own if there is none.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from hims.launch.paths import PROJECT
from hims.tests.browser import CHROMIUM, FLAGS

FOLDER = PROJECT / "docs" / "pictures"
PASSWORD = "Sandbox-2025!"  # noqa: S105  # of the sandbox, in the README
VIEWS = {
    "1280": (1280, 800, "light"),
    "390": (390, 844, "light"),
    "dark": (1280, 800, "dark"),
}  # width, height in CSS pixels; colours


def _stay(page: Page) -> None:
    """The home page, where a user is after signing in."""


def _search(words: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.fill("#hims-search", words)
        with page.expect_navigation():
            page.press("#hims-search", "Enter")

    return go


def _menu(address: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.click(f'#nav-sidebar a[href^="{address}"]')
        page.wait_for_load_state()

    return go


def _in_turn(*steps: Callable[[Page], None]) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        for step in steps:
            step(page)

    return go


def _click(selector: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.locator(selector).first.click()
        page.wait_for_load_state()

    return go


@dataclass(frozen=True)
class Picture:
    """A page of a user, how the user reaches it, and which of `VIEWS` are saved."""

    name: str
    user: str
    reach: Callable[[Page], None] = _stay
    views: tuple[str, ...] = ("1280",)


_RECEPTION, _NURSE, _DOCTOR, _MANAGER = "reception.kim", "nurse.jones", "dr.smith", "manager.davis"
PICTURES = (
    Picture("desk-home-reception", _RECEPTION, views=("1280", "390", "dark")),
    Picture("desk-home-nurse", _NURSE, views=("1280", "390")),
    Picture("desk-home-doctor", _DOCTOR),
    Picture("desk-home-manager", _MANAGER),
    Picture("desk-home-administrator", "admin"),
    Picture("find-or-register", _RECEPTION, _search("obrien"), ("1280", "390")),
    Picture("schedule-day", _RECEPTION, _menu("/admin/schedule/"), ("1280", "390", "dark")),
    Picture("schedule-week", _RECEPTION, _in_turn(_menu("/admin/schedule/"), _click('a[href*="view=week"]'))),
    Picture("queue", _RECEPTION, _menu("/admin/queue/"), ("1280", "390", "dark")),
    Picture("patient", _DOCTOR, _search("MRN001"), ("1280", "390", "dark")),
    Picture("patient-visits", _DOCTOR, _in_turn(_search("MRN001"), _click('.tabs a[href*="/visits/"]'))),
    Picture("patient-record", _DOCTOR, _in_turn(_search("MRN001"), _click('.tabs a[href*="chartentry"]'))),
    Picture(
        "visit-vitals", _DOCTOR, _in_turn(_click('a:has-text("Go on")'), _click('.steps a[href*="/step/1/"]')), ("1280", "390")
    ),
    Picture("audit", _MANAGER, _menu("/admin/audit/auditevent/")),
)


def sign_in(browser: Browser, base: str, user: str) -> Page:
    """Returns a page of a new session, on the user's home."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"{base}/admin/login/?next=/admin/")
    page.fill("#id_username", user)
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url(f"{base}/admin/")
    return page


def take(page: Page, picture: Picture, folder: Path) -> None:
    """Saves the views of the picture."""
    picture.reach(page)
    for view in picture.views:
        width, height, colours = VIEWS[view]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]  # its type lists the words
        page.screenshot(path=folder / f"{picture.name}-{view}.png", animations="disabled")


def main() -> int:
    """Returns the exit code: 1 with a message where there is no browser or no sandbox."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of the running sandbox (default: 8000)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to save the pictures (default: docs/pictures)")
    chosen = parser.parse_args()
    if not CHROMIUM.exists():
        sys.stderr.write("There is no /usr/bin/chromium: apt-get install chromium\n")
        return 1
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        for picture in PICTURES:
            page = sign_in(browser, f"http://127.0.0.1:{chosen.port}", picture.user)
            take(page, picture, chosen.folder)
            page.context.close()
            sys.stdout.write(f"{picture.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
