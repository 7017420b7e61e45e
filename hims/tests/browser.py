"""A real browser for tests of pages: Debian's chromium, watched for what a page asks of others and what its policy stops."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
PATIENCE = 120_000  # milliseconds; on a machine with ten times the load, a page took more than Playwright's usual 30 s
HERE = {"127.0.0.1", "localhost"}
_WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
_LISTEN = """
window.stopped = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.stopped.push(`${event.effectiveDirective} ${event.blockedURI}`);
});
"""


@dataclass
class Watched:
    """A page, and what it did: hosts it reached for, errors in its scripts, errors and warnings in the console."""

    page: Page
    foreign_hosts: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def stopped(self) -> set[str]:
        """What the Content-Security-Policy stopped: directive and address."""
        return set(self.page.evaluate("window.stopped"))

    def accessibility_violations(self) -> list[str]:
        """What WCAG 2.2 A and AA say is wrong, by axe."""
        violations = Axe().run(self.page, options=_WCAG).response["violations"]
        return [f"{row['id']}: {node['html'][:120]}" for row in violations for node in row["nodes"]]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser; the test is skipped, with its reason, where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def watched(browser: Browser, **options: Any) -> Iterator[Watched]:
    """A fresh page that can reach only our server. `options` are Playwright's for a context, such as `color_scheme`."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    context.add_init_script(_LISTEN)
    one = Watched(context.new_page())

    def guard(route: Route) -> None:
        if urlsplit(route.request.url).hostname in HERE:
            route.continue_()
        else:
            one.foreign_hosts.append(route.request.url)
            route.abort()

    context.route("**/*", guard)

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            one.console.append(message.text)

    one.page.on("pageerror", lambda error: one.errors.append(str(error)))
    one.page.on("console", on_console)
    yield one
    context.close()
