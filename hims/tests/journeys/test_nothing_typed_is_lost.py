"""A doctor keeps typing while the session ends, the server restarts and a colleague saves the same section: no word is lost."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import Page, Route

from apps.consultations.models import StepSave
from apps.consultations.steps.definitions import Step
from apps.consultations.tests.factories import save
from apps.desk.models import Draft
from hims.tests import browser, factories, live

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LINES = ("Cough for three days. ", "Fever since last night. ", "No chest pain. ", "Lives alone.")


class Server:
    """The web server at one port, which it keeps when it starts again."""

    def __init__(self, log: Path) -> None:
        self.port, self.log = live.free_port(), log
        self.address = f"http://127.0.0.1:{self.port}"
        self._process: AbstractContextManager[Any] | None = None

    def start(self) -> None:
        self._process = live.process(
            "hims.web", "hims.wsgi:application", "--port", str(self.port), "--workers", "1", log=self.log
        )
        child = self._process.__enter__()
        web = live.Web(self.port, self.log, child.pid)
        assert live.eventually(lambda: web.ask("GET", "/health/live").status == 200), self.log.read_text()

    def stop(self) -> None:
        if self._process is not None:
            self._process.__exit__(None, None, None)
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in this thread
    one = Server(tmp_path / "web.log")
    one.start()
    yield one
    one.stop()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def sign_in(page: Page, username: str) -> None:
    page.fill("#id_username", username)
    page.fill("#id_password", factories.PASSWORD)
    page.press("#id_password", "Enter")


def stored() -> str:
    """Returns the complaint in the draft."""
    draft = Draft.objects.first()
    return draft.fields["chief_complaint"][0] if draft else ""


def wait_for(page: Page, text: str) -> None:
    """Waits until the server has stored the text. The page's timers run meanwhile."""
    for _ in range(100):
        if stored() == text:
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"stored: {stored()!r}")


def test_no_word_is_lost_while_the_session_ends_the_server_restarts_and_a_colleague_saves(server: Server) -> None:
    staff = factories.create_staff()
    visit = factories.start_consultation(staff["doctor"], factories.register_patient("Gil", "Moss"))
    address = reverse("admin:consultations_consultation_step", args=[visit.row.pk, int(Step.SYMPTOMS)])
    with browser.chromium() as chromium, browser.watched(chromium) as seen:
        page = seen.page
        page.goto(f"{server.address}/admin/login/?next={address}")
        sign_in(page, staff["doctor"].username)
        page.wait_for_url(server.address + address)
        box = page.locator("#id_chief_complaint")

        box.press_sequentially(LINES[0])
        wait_for(page, LINES[0])
        Session.objects.all().delete()
        box.press_sequentially(LINES[1])
        wait_for(page, "".join(LINES[:2]))
        page.get_by_text("You are signed out. What you typed is stored.").wait_for()

        server.stop()
        box.press_sequentially(LINES[2])
        page.get_by_text("No answer from the server.").wait_for()
        server.start()
        wait_for(page, "".join(LINES[:3]))

        symptoms = {"chief_complaint": "Cough", "symptoms": [{"description": "Sweats"}]}
        save(staff["nurse"], visit, Step.SYMPTOMS, symptoms)
        box.press_sequentially(LINES[3])
        page.get_by_role("button", name="Save and go on").last.click()
        page.wait_for_url("**/admin/login/**")
        sign_in(page, staff["doctor"].username)
        page.wait_for_url(server.address + address)
        assert box.input_value() == "".join(LINES)

        page.get_by_role("button", name="Save and go on").last.click()
        page.get_by_text("Changed by").wait_for()
        page.get_by_role("cell", name="Cough", exact=True).wait_for()
        page.get_by_role("button", name="Save and go on").last.click()
        page.wait_for_url("**/step/3/")
        assert not seen.stopped()
    saved = StepSave.objects.filter(number=Step.SYMPTOMS).first()
    assert saved is not None
    assert saved.data == {"chief_complaint": "".join(LINES), "symptoms": [{"description": "Sweats"}]}
    assert not Draft.objects.exists()


def test_a_save_waits_for_the_one_that_the_page_sent_by_itself(server: Server) -> None:
    """Both would start from one version: the user would be asked to compare their entries with their own."""
    staff = factories.create_staff()
    visit = factories.start_consultation(staff["doctor"], factories.register_patient("Gil", "Moss"))
    address = reverse("admin:consultations_consultation_step", args=[visit.row.pk, int(Step.SYMPTOMS)])
    with browser.chromium() as chromium, browser.watched(chromium) as seen:
        page, on_the_way = seen.page, []

        def delay(route: Route) -> None:
            if "_auto" in (route.request.post_data or ""):
                on_the_way.append(route)
            else:
                route.fallback()

        page.goto(f"{server.address}/admin/login/?next={address}")
        sign_in(page, staff["doctor"].username)
        page.wait_for_url(server.address + address)
        page.route("**/step/*/", delay)
        page.fill("#id_chief_complaint", "Cough")
        with page.expect_request("**/step/2/"):
            page.keyboard.press("Tab")
        page.get_by_role("button", name="Save and go on").last.click()
        assert len(on_the_way) == 1
        assert page.url == server.address + address
        on_the_way[0].fallback()
        page.wait_for_url("**/step/3/")
        assert not seen.errors
    saved = StepSave.objects.filter(number=Step.SYMPTOMS).first()
    assert saved is not None
    assert (saved.data, saved.state) == ({"chief_complaint": "Cough"}, "completed")
