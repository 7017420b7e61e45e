"""The developer pages in a real browser: they show the API, ask no other host, obey their policy, and are public."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser

from apps.access.actor import SYSTEM
from apps.common.errors import CATALOGUE
from apps.developers.contract import openapi
from apps.developers.pages import error_advice, quickstart
from apps.sandbox import services as sandbox
from hims.tests import browser as browsers
from hims.tests.browser import Watched

OURS = [
    "/developers/",
    "/developers/errors",
    "/developers/changelog",
    "/developers/deprecations",
    "/developers/guarantees",
]
# What the policy stops, and the page looks and works the same.
HARMLESS = {"/developers/redoc": {"img-src https://cdn.redoc.ly/redoc/logo-mini.svg"}}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps a loop running in this thread
    try:
        with browsers.chromium() as running:
            yield running
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def visit(one: Watched, server: Any, path: str, *, shows: str = "body") -> None:
    """Open a page, wait for what it shows, and see that it behaved."""
    one.page.goto(server.url + path)
    one.page.wait_for_selector(shows)
    one.page.wait_for_load_state("networkidle")
    assert not one.foreign_hosts, f"{path} asks {one.foreign_hosts}"
    assert not one.errors, one.errors
    assert one.stopped() <= HARMLESS.get(path, set()), one.stopped()


@pytest.mark.browser
def test_the_explorer_shows_every_operation(browser: Browser, live_server: Any) -> None:
    with browsers.watched(browser) as one:
        visit(one, live_server, "/developers/explorer", shows=".opblock")
        shown = one.page.locator(".opblock").count()
        assert shown == sum(len(methods) for methods in openapi.as_dict()["paths"].values())
        assert one.page.locator("html").get_attribute("lang") == "en"


@pytest.mark.browser
def test_the_explorer_calls_this_server(browser: Browser, live_server: Any) -> None:
    with browsers.watched(browser) as one:
        one.page.goto(live_server.url + "/developers/explorer")
        block = one.page.locator("#operations-Version-getVersion")
        block.locator(".opblock-summary-control").click()
        block.get_by_role("button", name="Try it out").click()
        block.get_by_role("button", name="Execute").click()
        block.locator(".live-responses-table .response-col_status").get_by_text("200").wait_for()
        assert not one.foreign_hosts
        assert one.stopped() == set()


@pytest.mark.browser
def test_redoc_shows_the_operations(browser: Browser, live_server: Any) -> None:
    with browsers.watched(browser) as one:
        visit(one, live_server, "/developers/redoc", shows="h2")
        headings = set(one.page.locator("h2").all_inner_texts())
        assert {"List patients", "Sign in", "Create patient", "List medical history"} <= {name.strip() for name in headings}


@pytest.mark.browser
@pytest.mark.parametrize("path", OURS)
def test_our_own_pages_have_no_barrier(browser: Browser, live_server: Any, path: str) -> None:
    with browsers.watched(browser, color_scheme="light") as one:
        visit(one, live_server, path)
        assert one.stopped() == set()
        assert one.accessibility_violations() == []
        one.page.emulate_media(color_scheme="dark")
        assert one.accessibility_violations() == []


@pytest.mark.browser
@pytest.mark.parametrize("path", OURS)
def test_our_own_pages_fit_a_telephone(browser: Browser, live_server: Any, path: str) -> None:
    with browsers.watched(browser, viewport={"width": 320, "height": 640}) as one:
        visit(one, live_server, path)
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.django_db(transaction=True)
def test_the_quick_start_works_as_printed(live_server: Any) -> None:
    sandbox.seed(by=SYSTEM)
    steps = quickstart.steps(f"{live_server.url}/v1")
    replies = subprocess.run(
        ["bash", "-ec", "\necho\n".join(step.command for step in steps)], capture_output=True, text=True, check=True, timeout=60
    )
    listed, read, registered, refused = [json.loads(line) for line in replies.stdout.splitlines() if line]
    assert "MRN001" in [patient["mrn"] for patient in listed["data"]["patients"]]
    assert read["data"]["patient"]["demographics"]["last_name"] == "Doe"
    assert registered["data"]["patient"]["demographics"]["first_name"] == "Jane"
    assert refused["error"]["code"] == "NOT_FOUND"


@pytest.mark.django_db
def test_the_quick_start_names_this_server() -> None:
    page = Client().get("/developers/", headers={"host": "localhost:8123"}).content.decode()
    assert "curl -s http://localhost:8123/v1/auth/login" in page


@pytest.mark.django_db
def test_every_code_has_its_place_and_its_remedy() -> None:
    page = Client().get("/developers/errors").content.decode()
    for kind in CATALOGUE:
        assert f'id="{kind.code}"' in page
        assert str(kind.message) in page.replace("&#x27;", "'")
    assert all(entry.remedy and entry.meaning for entry in error_advice.catalogue())


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*OURS, "/developers/explorer"])
def test_the_policy_of_a_page_allows_nothing_inline(path: str) -> None:
    policy = Client().get(path).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy


@pytest.mark.django_db
def test_only_redoc_may_write_styles_into_its_page() -> None:
    policy = Client().get("/developers/redoc").headers["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert policy.count("unsafe") == 1


@pytest.mark.django_db
def test_the_pages_need_no_sign_in_and_no_script() -> None:
    for path in OURS:
        page = Client().get(path)
        assert page.status_code == 200
        assert b"<script" not in page.content
    assert Client().get(f"/developers/{uuid.uuid4()}").status_code == 404
