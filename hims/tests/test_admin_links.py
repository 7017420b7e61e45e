"""No link on a page of the desk leads to a refusal: a crawl as each role, over the sample data."""

from collections import Counter, deque
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from apps.access.actor import SYSTEM
from apps.access.roles import STAFF
from apps.accounts.models import User
from apps.common.tests.shared_rows import shared_rows
from apps.sandbox import services
from apps.sandbox.samples import charts
from apps.sandbox.samples.generated_patients import generate_patients
from apps.sandbox.samples.staff import PASSWORD

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


def links_of(page: Any, address: str) -> list[str]:
    """Returns the addresses within the desk that the page links to."""
    reader = Links()
    reader.feed(page.content.decode())
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


def refusals(client: Client) -> Iterator[str]:
    """Opens the pages that the user can reach by links, and returns the links that are refused, with the page they are on."""
    waiting, opened, known = deque([("/admin/", "")]), Counter[tuple[str, ...]](), {"/admin/"}
    while waiting:
        address, source = waiting.popleft()
        page = client.get(address, follow=True)
        if page.status_code in REFUSALS:
            yield f"{source} -> {address}: {page.status_code}"
        if page.status_code != 200 or "text/html" not in page.headers["Content-Type"]:
            continue
        for link in links_of(page, address):
            if link not in known and opened[kind(link)] < EACH:
                known.add(link)
                opened[kind(link)] += 1
                waiting.append((link, address))


@pytest.fixture(scope="class")
def sandbox(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with shared_rows(django_db_blocker), pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "generate_patients", lambda: generate_patients(PATIENTS))
        services.seed(by=SYSTEM)
        yield


@pytest.mark.django_db
class TestLinks:
    @pytest.mark.parametrize("role", STAFF)
    def test_no_link_that_a_role_sees_is_refused(self, sandbox: None, role: str) -> None:
        reader, client = User.objects.filter(role=role, is_active=True).exclude(username="mfa.user").first(), Client()
        response = client.post("/admin/login/", {"username": reader.username, "password": PASSWORD})  # type: ignore[union-attr]
        assert response.status_code == 302
        problems = [*refusals(client)]
        assert not problems, "\n".join(problems)
