"""Signs in to a running sandbox as each role, and saves a picture of its pages to docs/pictures.

The sandbox must run (`make run`); --port says where. Pages are reached as a user reaches them: from the home page by links.
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
SIZES = {1280: 800, 390: 844}  # width: height of the window, in CSS pixels


def _stay(page: Page) -> None:
    """The home page, where a user is after signing in."""


def _by_search(page: Page) -> None:
    page.fill("#hims-search", "MRN001")
    page.press("#hims-search", "Enter")
    page.wait_for_url("**/patients/patient/**")


def _by_menu(address: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.click(f'#nav-sidebar a[href^="{address}"]')
        page.wait_for_url(f"**{address}**")

    return go


def _open_visit(page: Page) -> None:
    page.goto(page.url.partition("/admin/")[0] + "/admin/consultations/consultation/?status=in_progress")
    page.click("#result_list tbody th a, .t tbody th a")
    page.wait_for_load_state()


@dataclass(frozen=True)
class Picture:
    """A page of a role, how a user reaches it, and the widths of the window."""

    name: str
    user: str
    reach: Callable[[Page], None] = _stay
    widths: tuple[int, ...] = (1280,)


PICTURES = (
    Picture("home-reception", "reception.kim", widths=(1280, 390)),
    Picture("home-nurse", "nurse.jones", widths=(1280, 390)),
    Picture("home-doctor", "dr.smith"),
    Picture("home-manager", "manager.davis"),
    Picture("home-administrator", "admin"),
    Picture("workspace-doctor", "dr.smith", _by_search, widths=(1280, 390)),
    Picture("workspace-reception", "reception.kim", _by_search),
    Picture("visit-doctor", "dr.smith", _open_visit),
    Picture("schedule-reception", "reception.kim", _by_menu("/admin/schedule/"), widths=(1280, 390)),
    Picture("queue-reception", "reception.kim", _by_menu("/admin/queue/"), widths=(1280, 390)),
    Picture("queue-nurse", "nurse.jones", _by_menu("/admin/queue/")),
    Picture("find-reception", "reception.kim", _by_menu("/admin/patients/patient/")),
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
    """Saves the picture at each of its widths, light; at 1280 pixels dark as well."""
    picture.reach(page)
    for width in picture.widths:
        page.set_viewport_size({"width": width, "height": SIZES[width]})
        page.screenshot(path=folder / f"{picture.name}-{width}.png", animations="disabled")
    page.set_viewport_size({"width": 1280, "height": SIZES[1280]})
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=folder / f"{picture.name}-dark.png", animations="disabled")


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
