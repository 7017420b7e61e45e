"""Row actions: who is offered one, and what its page does."""

from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from apps.common import clock
from apps.common.errors import Conflict, Forbidden, Invalid
from apps.desk.kit.row_actions import RowAction, RowActionsMixin
from apps.rest.permissions import ReauthenticationRequired
from apps.rest.tests.callers import Caller, LampPermission, user


class WhyForm(forms.Form):
    why = forms.CharField()


def action(**more: Any) -> RowAction:
    usual = {
        "name": "switch-off",
        "label": "Switch off",
        "permission": LampPermission.LAMP_SWITCH,
        "run": lambda by, row, answers: row.ran.append((by, answers)),
        "question": "Switch this lamp off?",
        "done": "The lamp is off.",
    }
    return RowAction(**(usual | more))  # type: ignore[arg-type]


class LampPages(RowActionsMixin):
    """The pages of one lamp."""

    opts = SimpleNamespace(app_label="lamps", model_name="lamp")
    admin_site = SimpleNamespace(each_context=lambda request: {"site": request.path})

    def __init__(self) -> None:
        self.row: Any = SimpleNamespace(pk=7, ran=[])
        self.accesses: list[Any] = []
        self.page_context = lambda request, row: {"page": row.pk}

    def get_object(self, request: Any, object_id: str) -> Any:
        return self.row if object_id == "7" else None

    def record_access(self, request: Any, what: str, row: Any) -> None:
        self.accesses.append((what, row.pk))

    def after_row_action(self, row: Any) -> str:
        return f"/admin/lamps/{row.pk}/"


NURSE, CLERK = user("nurse"), user("billing")


def signed_in(by: Caller) -> Any:
    """The caller as a user who has passed the sign-in of the desk."""
    passed = {"is_authenticated": True, "is_active": True, "is_staff": True, "is_verified": lambda: True}
    return SimpleNamespace(**vars(by), has_permission=by.has_permission, **passed)


def open_page(
    pages: LampPages, one: RowAction, by: Caller = NURSE, method: str = "GET", object_id: str = "7", **sent: str
) -> HttpResponse:
    made = getattr(RequestFactory(), method.lower())("/admin/lamps/7/switch-off/", sent)
    # Signed-in users of the desk have passed its middleware, which sets the user and the store of messages.
    made.user = signed_in(by)
    made._messages = CookieStorage(made)
    response = pages.row_action_view(made, object_id, one)
    response.shown = [str(message) for message in get_messages(made)]  # type: ignore[attr-defined]
    return response


def test_the_page_asks_first_and_is_audited() -> None:
    pages = LampPages()
    page: Any = open_page(pages, action())
    assert page.context_data["title"] == "Switch off"
    assert page.context_data["page"] == 7
    assert page.context_data["back"] == "/admin/lamps/7/"
    assert (pages.row.ran, pages.accesses) == ([], [("read", 7)])


def test_the_service_gets_the_answers_and_the_page_confirms_it() -> None:
    pages = LampPages()
    page: Any = open_page(pages, action(form=WhyForm), method="POST", why="It is bright.", other="ignored")
    ((by, answers),) = pages.row.ran
    assert (by.id, answers) == (NURSE.id, {"why": "It is bright."})
    assert (page.status_code, page.url, page.shown) == (302, "/admin/lamps/7/", ["The lamp is off."])


def test_wrong_answers_reach_no_service() -> None:
    pages = LampPages()
    page: Any = open_page(pages, action(form=WhyForm), method="POST")
    assert page.context_data["errors"] == {"why": ["This field is required."]}
    assert pages.row.ran == []


def test_a_link_may_fill_the_form_in() -> None:
    page: Any = open_page(LampPages(), action(form=WhyForm), why="It is bright.")
    assert page.context_data["form"]["why"].value() == "It is bright."
    assert not page.context_data["form"].is_bound


@pytest.mark.parametrize(
    ("refusal", "errors"),
    [
        (Conflict("It is off already."), {"__all__": ["It is off already."]}),
        (Invalid(field="why", issue="Say more."), {"why": ["Say more."]}),
    ],
)
def test_a_refusal_is_shown_with_the_answers(refusal: Exception, errors: Any) -> None:
    def run(by: Any, row: Any, answers: Any) -> None:
        raise refusal

    page: Any = open_page(LampPages(), action(form=WhyForm, run=run), method="POST", why="Because.")
    assert page.context_data["form"].errors == errors
    assert page.context_data["form"]["why"].value() == "Because."
    assert page.shown == []


@pytest.mark.parametrize("refusal", [Forbidden(), ReauthenticationRequired()])
def test_a_denial_is_no_matter_of_the_form(refusal: Exception) -> None:
    def run(by: Any, row: Any, answers: Any) -> None:
        raise refusal

    with pytest.raises(type(refusal)):
        open_page(LampPages(), action(run=run), method="POST")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_user_without_the_right_is_refused(method: str) -> None:
    pages = LampPages()
    with pytest.raises(PermissionDenied):
        open_page(pages, action(), by=CLERK, method=method)
    assert (pages.row.ran, pages.accesses) == ([], [])


def test_a_row_that_the_user_may_not_see_is_not_found() -> None:
    with pytest.raises(Http404):
        open_page(LampPages(), action(), object_id="8")


def test_an_action_that_is_not_available_is_asked_by_no_page_and_refused_by_its_service() -> None:
    pages, one = LampPages(), action(available=lambda row, by: False)
    with pytest.raises(PermissionDenied):
        open_page(pages, one)
    open_page(pages, one, method="POST")  # the row may have changed since the page was shown: the service explains
    assert len(pages.row.ran) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_sensitive_action_asks_for_the_password_first(method: str) -> None:
    pages, one = LampPages(), action(recent_login=True)
    with pytest.raises(ReauthenticationRequired):
        open_page(pages, one, method=method)
    assert pages.row.ran == []
    open_page(pages, one, by=user("nurse", reauthenticated_at=clock.now()), method="POST")
    assert len(pages.row.ran) == 1


def test_a_result_that_is_shown_once_has_a_page_of_its_own() -> None:
    one = action(run=lambda by, row, answers: "s3cret", result_page=lambda request, row, result: HttpResponse(result))
    page: Any = open_page(LampPages(), one, method="POST")
    assert (page.content, page.shown) == (b"s3cret", [])


@pytest.mark.parametrize(
    ("by", "available", "offered"), [(NURSE, True, 1), (NURSE, False, 0), (CLERK, True, 0)], ids=["may", "not now", "may not"]
)
def test_only_what_the_user_may_do_now_is_offered(
    monkeypatch: pytest.MonkeyPatch, by: Caller, available: bool, offered: int
) -> None:
    pages = LampPages()
    pages.row_actions = [action(available=lambda row, user: available, destructive=True)]
    monkeypatch.setattr("apps.desk.kit.row_actions.reverse", lambda name, args: f"/{name}/{args[0]}")
    request = RequestFactory().get("/")
    request.user = signed_in(by)
    shown = pages.available_row_actions(request, pages.row)
    assert (
        shown
        == [{"name": "switch-off", "label": "Switch off", "destructive": True, "url": "/admin:lamps_lamp_switch_off/7"}][:offered]
    )
