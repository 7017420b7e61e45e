"""Crawls the desk as each role, over the sample data: no link leads to a refusal, and no page complains in a browser."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page

from apps.access.actor import SYSTEM
from apps.access.roles import STAFF
from apps.accounts.models import User
from apps.common.tests.shared_rows import shared_rows
from apps.sandbox import services
from apps.sandbox.samples import charts
from apps.sandbox.samples.generated_patients import generate_patients
from apps.sandbox.samples.staff import PASSWORD
from hims.tests.browser import CHROMIUM, chromium, watched

PATIENTS = 12
EACH = 1  # pages that are opened of each kind: the same page with the same parameters differs only in its row
REFUSALS = (403, 404)


class Links(HTMLParser):
    """Collects the addresses of a page's links."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (address := dict(attrs).get("href")) and not address.startswith("#"):
            self.addresses.append(address)


def links_of(html: str, address: str) -> list[str]:
    """Returns the addresses within the desk that the page links to."""
    reader = Links()
    reader.feed(html)
    whole = [urljoin(address, one).partition("#")[0] for one in reader.addresses]
    return [one for one in dict.fromkeys(whole) if one.startswith("/")]


def kind(address: str) -> tuple[str, ...]:
    """Returns the page's name and the names of its parameters."""
    parts = urlsplit(address)
    try:
        name = resolve(parts.path).view_name
    except Resolver404:
        name = parts.path
    return (name or parts.path, *sorted({name for name, _ in parse_qsl(parts.query)}))


def crawl(open_page: Callable[[str, str], str]) -> None:
    """Opens the pages that can be reached by links from the home page, `EACH` of each kind.

    `open_page` gets the address and that of the page with the link, and returns the HTML; nothing for what is not a page.
    """
    waiting, opened, known = deque([("/admin/", "")]), Counter[tuple[str, ...]](), {"/admin/"}
    while waiting:
        address, source = waiting.popleft()
        for link in links_of(open_page(address, source), address):
            if link not in known and opened[kind(link)] < EACH:
                known.add(link)
                opened[kind(link)] += 1
                waiting.append((link, address))


def refusals(client: Client) -> list[str]:
    """Returns the links on the user's pages that are refused, with the page they are on."""
    refused = []

    def open_page(address: str, source: str) -> str:
        page = client.get(address, follow=True)
        if page.status_code in REFUSALS:
            refused.append(f"{source} -> {address}: {page.status_code}")
        is_page = page.status_code == 200 and "text/html" in page.headers["Content-Type"]
        return page.content.decode() if is_page else ""

    crawl(open_page)
    return refused


def reader(role: str) -> User:
    """Returns a user of the sandbox with this role."""
    return User.objects.filter(role=role, is_active=True).exclude(username="mfa.user")[0]


def seed() -> None:
    """Writes the sandbox's sample data, with few patients."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "generate_patients", lambda: generate_patients(PATIENTS))
        services.seed(by=SYSTEM)


@pytest.fixture(scope="class")
def sandbox(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with shared_rows(django_db_blocker):
        seed()
        yield


@pytest.mark.django_db
class TestLinks:
    @pytest.mark.parametrize("role", STAFF)
    def test_no_link_that_a_role_sees_is_refused(self, sandbox: None, role: str) -> None:
        client = Client()
        response = client.post("/admin/login/", {"username": reader(role).username, "password": PASSWORD})
        assert response.status_code == 302
        problems = refusals(client)
        assert not problems, "\n".join(problems)


@pytest.mark.full
@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium (apt-get install chromium)")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", STAFF)
def test_no_page_of_a_role_breaks_its_policy_asks_another_host_or_complains_in_the_console(
    live_server: Any, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in this thread
    seed()
    problems: list[str] = []
    with chromium() as browser, watched(browser) as here:

        def open_page(address: str, source: str) -> str:
            if not goes_to_a_page(here.page, live_server.url + address):
                return ""
            complaints = {*here.stopped(), *here.foreign_hosts, *here.errors, *here.console}
            problems.extend(f"{source} -> {address}: {one}" for one in sorted(complaints))
            for kept in (here.foreign_hosts, here.errors, here.console):
                kept.clear()
            return here.page.content()

        here.page.goto(f"{live_server.url}/admin/login/?next=/admin/")
        here.page.fill("#id_username", reader(role).username)
        here.page.fill("#id_password", PASSWORD)
        here.page.press("#id_password", "Enter")
        here.page.wait_for_url(f"{live_server.url}/admin/")
        crawl(open_page)
    assert not problems, "\n".join(problems)


def goes_to_a_page(page: Page, address: str) -> bool:
    """Opens the address. Returns whether it is a page: not a file."""
    try:
        page.goto(address)
    except PlaywrightError as error:
        if "Download is starting" in str(error):
            return False
        raise
    return True
