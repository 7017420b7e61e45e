"""The admin site: the staff's desk. Sign-in with limits and on record, clinic time, refusals on record."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial, update_wrapper
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import login
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from apps.access.permissions import Permission
from apps.common import clock, domain
from apps.common.errors import Forbidden, NotFound, RateLimited
from apps.rest import audit_log, sign_in
from apps.rest.permissions import ReauthenticationRequired

_PLATFORM_FLOOR = 3  # audit, terminology and what is below them: no domain of the clinic
_BEGAN_AT = "began_at"  # when the browser's session began, for its absolute end
_REAUTHENTICATED_AT = "reauthenticated_at"  # when the password was last given in it; the sign-in counts
# https://www.w3.org/TR/clear-site-data/. Without "cookies", which would sign the person out of the clinic's other sites as
# well; the session's own cookie is deleted by name.
_CACHE_AND_STORAGE = '"cache", "storage"'
_REMOVED_VIEWS = {"autocomplete", "view_on_site"}  # stock views that would show rows without a row in the trail


@dataclass(frozen=True, kw_only=True)
class SitePage:
    """A page beside those of models: a class-based view that takes `site`. `is_open` to those who have not signed in."""

    route: str
    name: str
    view: Any
    is_open: bool = False


@dataclass(frozen=True)
class PendingWork:
    """Work that waits for somebody: its page (a URL name), the right it takes, and how much of it there is, in words."""

    title: str
    page: str
    permission: Permission
    summary: Callable[[Any], str]
    query: str = ""  # of the page's address, with its question mark


@dataclass(frozen=True)
class NavLink:
    """A page that is a step away from every other, for those with the right."""

    label: str
    page: str
    permission: Permission


class HimsAdminSite(AdminSite):
    """Stock admin under our rules. What only a higher app knows is plugged in by that app's `admin` module."""

    site_header = "HIMS"
    site_title = "HIMS"
    index_title = "Start"
    site_url = None
    password_view: Any = None  # plug: the class of the page where people change their own password
    sign_in_view: Any = None  # plug: the class of the page where people sign in; it ends in `start_session`
    pages: tuple[SitePage, ...] = ()  # plug: further pages
    search: tuple[str, Permission] | None = None  # plug: the URL name and the right of the search box on every page
    reauthentication: Any = None  # plug: the page that asks for the password again: `ask(request)`, `take(request)`
    notification_link: Callable[[Any], dict[str, Any]] | None = None  # plug: address of the user's notifications, number unread

    pending_work: tuple[PendingWork, ...] = ()  # plug: what waits for people, told on their start page
    nav_links: tuple[NavLink, ...] = ()  # plug: pages that stand on top of every page

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Pages that declare no needs stay out: Django's own groups, which mean nothing here."""
        if getattr(admin_class, "needs", None):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Active staff within twelve hours of their sign-in."""
        return bool(super().has_permission(request)) and _is_within_session_limit(request)

    def get_urls(self) -> list:
        stock = [url for url in super().get_urls() if getattr(url, "name", None) not in _REMOVED_VIEWS]
        return [*(path(page.route, self._view_of(page), name=page.name) for page in self.pages), *stock]

    def _view_of(self, page: SitePage) -> Any:
        view = page.view.as_view(site=self)
        return never_cache(view) if page.is_open else self.admin_view(view)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = {"search_url": self._search_url(request), "clinic_name": settings.CLINIC_NAME}
        if self.notification_link is not None and self.has_permission(request):
            context["notification_link"] = partial(self.notification_link, request.user)  # asked where the template shows it
        if self.has_permission(request):
            mine = [link for link in self.nav_links if can_open(request.user, link.permission)]
            context["nav_links"] = [{"label": link.label, "url": reverse(link.page, current_app=self.name)} for link in mine]
        return super().each_context(request) | context

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The start page, with the work that waits for this person."""
        mine = [work for work in self.pending_work if can_open(request.user, work.permission)]
        rows = [
            {
                "title": work.title,
                "url": reverse(work.page, current_app=self.name) + work.query,
                "summary": work.summary(request.user),
            }
            for work in mine
        ]
        return super().index(request, {"pending_work": rows} | (extra_context or {}))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list:
        """By name; the pages of the platform (the apps below `accounts`) come last."""
        listed = super().get_app_list(request, app_label)
        for model in (model for app in listed for model in app["models"]):
            model["name"] = getattr(self._registry[model["model"]], "title", "") or model["name"]
        platform = {config.label for config in domain.installed() if config.floor <= _PLATFORM_FLOOR}
        return sorted(listed, key=lambda app: (app["app_label"] in platform, app["name"]))

    def get_log_entries(self, request: HttpRequest) -> Any:
        """None: what was done stands in the trail."""
        return []

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """In the clinic's time zone; refusals become pages and, where a right was missing, a row of the trail."""

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if "%00" in request.META.get("QUERY_STRING", ""):
                raise BadRequest("An address may not contain NUL.")
            request.user.reauthenticated_at = last_reauthentication(request)  # type: ignore[union-attr]  # `super` lets only staff in here
            try:
                with timezone.override(settings.CLINIC_TIME_ZONE):
                    response = self._handle_reauthentication(request) or view(request, *args, **kwargs)
                    return response.render() if hasattr(response, "render") else response
            except ReauthenticationRequired:
                if self.reauthentication is None:
                    raise
                return self.reauthentication.ask(request)
            except (PermissionDenied, Forbidden) as refusal:
                _record_denial(request)
                raise PermissionDenied(str(refusal)) from refusal
            except NotFound as nothing:
                if nothing.withheld:
                    _record_denial(request, nothing.withheld)
                raise Http404(nothing.message) from nothing

        return super().admin_view(update_wrapper(guarded, view), cacheable)

    def _handle_reauthentication(self, request: HttpRequest) -> HttpResponse | None:
        """What the proof page answers to its own form; None where it was right, or nothing was asked: the page goes on."""
        return self.reauthentication.take(request) if self.reauthentication is not None and request.method == "POST" else None

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The sign-in page. Over the limit: a page with 429 and Retry-After, and no password is looked at."""
        if request.method == "POST" and (wait := sign_in.seconds_to_wait(request, request.POST.get("username", ""))):
            return too_many_attempts(request, wait)
        if self.sign_in_view is None:
            raise Http404
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        try:
            return self.sign_in_view.as_view(site=self)(request)
        except RateLimited as refusal:
            return too_many_attempts(request, refusal.details["retry_after"])

    def start_session(self, request: HttpRequest, user: Any) -> None:
        """Everything asked for was given: the browser's session begins, on record."""
        login(request, user)
        request.session[_BEGAN_AT] = request.session[_REAUTHENTICATED_AT] = clock.now().isoformat()
        audit_log.record(by=user, action="session.started", object_id=user.pk, door="admin")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Sign out, on record."""
        if request.method == "POST":
            person: Any = request.user
            audit_log.record(by=person, action="session.ended", object_id=person.pk, reason="signed_out", door="admin")
        return clear_browser_cache(super().logout(request, extra_context))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """One's own password, through the plugged page; without one there is none."""
        if self.password_view is None:
            raise Http404
        context = {**self.each_context(request), **(extra_context or {})}
        done = reverse("admin:password_change_done", current_app=self.name)
        return self.password_view.as_view(success_url=done, extra_context=context)(request)

    def _search_url(self, request: HttpRequest) -> str:
        if self.search is None or not can_open(request.user, self.search[1]) or not self.has_permission(request):
            return ""
        try:
            return reverse(self.search[0], current_app=self.name)
        except NoReverseMatch:
            return ""


def too_many_attempts(request: HttpRequest, seconds: int) -> HttpResponse:
    """The page of whoever tried too often, with 429 and Retry-After."""
    refused = render(request, "429.html", {"seconds": seconds}, status=429)
    refused.headers["Retry-After"] = str(seconds)
    return refused


def clear_browser_cache(response: HttpResponse) -> HttpResponse:
    """Make the browser drop what it cached of charts; for the reply that ends a session, on a computer that others use too."""
    response.headers["Clear-Site-Data"] = _CACHE_AND_STORAGE
    return response


def can_open(user: Any, permission: Permission | None) -> bool:
    """Whether the person holds the right. Closed: no declared need, or nobody signed in, is a no."""
    return permission is not None and getattr(user, "is_authenticated", False) and user.has_permission(permission)


def last_reauthentication(request: HttpRequest) -> datetime | None:
    """When the password was last given in this browser's session."""
    stored = request.session.get(_REAUTHENTICATED_AT)
    return datetime.fromisoformat(stored) if stored else None


def record_reauthentication(request: HttpRequest) -> None:
    """The password was given again just now, in this browser's session."""
    now = clock.now()
    request.session[_REAUTHENTICATED_AT] = now.isoformat()
    request.user.reauthenticated_at = now  # type: ignore[union-attr]


def _is_within_session_limit(request: HttpRequest) -> bool:
    began = request.session.get(_BEGAN_AT)
    return began is not None and clock.now() - datetime.fromisoformat(began) < settings.BROWSER_SESSION_ABSOLUTE


def _record_denial(request: HttpRequest, patient_id: UUID | None = None) -> None:
    """`patient_id` is whose record was asked for; without, what the page itself said of that (`request.about_patient`)."""
    about = patient_id or getattr(request, "about_patient", None)
    details = {"path": request.path, "method": request.method, "door": "admin"}
    audit_log.record(by=request.user, action="page.refused", outcome=audit_log.DENIED, patient_id=about, **details)  # type: ignore[arg-type]
