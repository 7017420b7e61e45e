"""The admin site for staff: sign-in with limits, the clinic's time zone, refusals as pages. It audits sign-ins and refusals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import update_wrapper
from typing import Any, Protocol, cast
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.auth import login
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from apps.access.permissions import Permission
from apps.access.roles import Role
from apps.common import clock, domain
from apps.common.errors import Forbidden, NotFound, RateLimited
from apps.desk.kit.language import in_language, languages
from apps.desk.kit.navigation import HOME, Menu, shown_menu
from apps.rest import audit_log, sign_in
from apps.rest.permissions import ReauthenticationRequired

_PLATFORM_FLOOR = 3  # audit, terminology and the apps below them: no domain of the clinic
_BEGAN_AT = "began_at"  # when the browser's session began, for its absolute end
_REAUTHENTICATED_AT = "reauthenticated_at"  # when the user last entered the password in this session; the sign-in counts
# https://www.w3.org/TR/clear-site-data/. Without "cookies", which would sign the user out of the clinic's other sites as well;
# the session's own cookie is deleted by name.
_CACHE_AND_STORAGE = '"cache", "storage"'
WRITER_COOKIE = "hims_writer"  # who was signed in when a page was opened; see `desk.drafts`
RAIL = "menu_is_rail"  # in the session: the user chose the narrow menu
_REMOVED_VIEWS = {"autocomplete", "view_on_site"}  # Django's views that would show rows without an audit entry


@dataclass(frozen=True, kw_only=True)
class SitePage:
    """A page in addition to those of models: a class-based view that takes `site`. `is_open` pages need no sign-in.

    `permission` is the one that the view checks; None if each user may open the page.
    """

    route: str
    name: str
    view: Any
    is_open: bool = False
    permission: Permission | None = None


class PasswordPrompt(Protocol):
    """The page that asks a signed-in user for the password again."""

    def ask(self, request: HttpRequest) -> HttpResponse:
        """Returns the page with the form."""
        ...

    def take(self, request: HttpRequest) -> HttpResponse | None:
        """Reads the page's own form: returns the page again if the password is wrong; None if it is right or was not asked."""
        ...


class Drafts(Protocol):
    """Stores unsaved text of the forms, and offers it again."""

    def wrap(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """Returns the view with drafts."""
        ...

    def context(self, request: HttpRequest) -> dict[str, Any]:
        """Returns what the frame of a page needs."""
        ...


class HimsAdminSite(AdminSite):
    """Django's admin with our rules. `apps/desk/admin.py` says which pages, menus and homes there are."""

    site_header = "HIMS"
    site_title = "HIMS"
    site_url = None
    enable_nav_sidebar = False  # Django's list of models; ours is the menu of the role
    password_view: Any = None  # port: the view class with which users change their own password
    sign_in_view: Any = None  # port: the view class of the sign-in page; it ends in `start_session`
    pages: tuple[SitePage, ...] = ()  # port: further pages
    search: tuple[str, Permission] | None = None  # port: the URL name and the permission of the search on every page
    reauthentication: PasswordPrompt | None = None  # port: the page that asks for the password again
    unread: Callable[[Any], dict[str, Any]] | None = None  # port: address of the user's notifications, number unread
    menus: Mapping[Role, Menu] = {}  # port: the menu of each role
    homes: Mapping[Role, Any] = {}  # port: the view class of each role's home
    person: Callable[[Any], dict[str, Any]] | None = None  # port: name, initials and role of the user, in words
    drafts: Drafts | None = None  # port: what is typed and not saved

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Ignores pages without `needs`: Django's own groups, which HIMS does not use."""
        if getattr(admin_class, "needs", None):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Returns whether the user is active staff and signed in within the last twelve hours."""
        return bool(super().has_permission(request)) and _is_within_session_limit(request)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        stock = [url for url in super().get_urls() if getattr(url, "name", None) not in _REMOVED_VIEWS]
        return [*(path(page.route, self._view_of(page), name=page.name) for page in self.pages), *stock]

    def _view_of(self, page: SitePage) -> Any:
        view = page.view.as_view(site=self)
        return never_cache(in_language(view)) if page.is_open else self.admin_view(view)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Adds what the frame of every page shows: search, menu, unread notifications, the person."""
        context = super().each_context(request) | {"clinic_name": settings.CLINIC_NAME, "search_url": self._search_url(request)}
        if not self.has_permission(request):
            return context
        return context | {
            "menu": shown_menu(self.menus, request),
            "is_rail": request.session.get(RAIL, False),
            "languages": languages(request),
            "unread": self.unread and self.unread(request.user),
            "person": self.person and self.person(request.user),
            "drafts": self.drafts and self.drafts.context(request),
        }

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Shows the home page of the user's role."""
        return self.homes[Role(cast("Any", request.user).role)].as_view(site=self)(request)

    def app_index(self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        title = {"title": apps.get_app_config(app_label).verbose_name}
        return super().app_index(request, app_label, title | (extra_context or {}))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Sorts the apps by name; those of the platform (the apps below `accounts`) come last."""
        listed = super().get_app_list(request, app_label)
        for model in (model for app in listed for model in app["models"]):
            model["name"] = getattr(self._registry[model["model"]], "title", "") or model["name"]
        platform = {config.label for config in domain.installed() if config.floor <= _PLATFORM_FLOOR}
        return sorted(listed, key=lambda app: (app["app_label"] in platform, app["name"]))

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Returns no entries: the audit log has what users did."""
        return []

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Runs a page in the clinic's time zone and the user's language. Refusals become pages; a missing permission is
        audited."""

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

        page = super().admin_view(update_wrapper(guarded, view), cacheable)
        return in_language(self.drafts.wrap(page) if self.drafts is not None else page)

    def _handle_reauthentication(self, request: HttpRequest) -> HttpResponse | None:
        """Returns the reply of the reauthentication page to its own form; None if the password was right or not asked for."""
        return self.reauthentication.take(request) if self.reauthentication is not None and request.method == "POST" else None

    @method_decorator(in_language)
    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Shows the sign-in page. Beyond the rate limit it replies 429 with Retry-After, and does not check the password."""
        if request.method == "POST" and (wait := sign_in.seconds_to_wait(request, request.POST.get("username", ""))):
            return too_many_attempts(request, wait)
        if self.sign_in_view is None:
            raise Http404
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse(HOME, current_app=self.name))
        try:
            page: HttpResponse = self.sign_in_view.as_view(site=self)(request)
        except RateLimited as refusal:
            return too_many_attempts(request, refusal.details["retry_after"])
        return page

    def start_session(self, request: HttpRequest, user: Any) -> None:
        """Starts the browser's session after a complete sign-in, and audits it."""
        login(request, user)
        request.session[_BEGAN_AT] = request.session[_REAUTHENTICATED_AT] = clock.now().isoformat()
        audit_log.record(by=user, action="session.started", object_id=user.pk, door="admin")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Signs the user out, and audits it."""
        if request.method == "POST":
            person: Any = request.user
            audit_log.record(by=person, action="session.ended", object_id=person.pk, reason="signed_out", door="admin")
        response = clear_browser_cache(super().logout(request, extra_context))
        response.delete_cookie(WRITER_COOKIE, path="/admin/", samesite="Lax")
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Shows the registered page for changing one's own password; 404 if none is registered."""
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


site = cast("HimsAdminSite", admin.site)  # the site of the settings; Django makes it when it is first used


def too_many_attempts(request: HttpRequest, seconds: int) -> HttpResponse:
    """Returns the page for too many attempts, with 429 and Retry-After."""
    refused = render(request, "429.html", {"seconds": seconds}, status=429)
    refused.headers["Retry-After"] = str(seconds)
    return refused


def clear_browser_cache(response: HttpResponse) -> HttpResponse:
    """Makes the browser delete its cached pages, for the reply that ends a session on a shared computer."""
    response.headers["Clear-Site-Data"] = _CACHE_AND_STORAGE
    return response


def can_open(user: Any, permission: Permission | None) -> bool:
    """Returns whether the user has the permission. False without a permission or a signed-in user."""
    return permission is not None and getattr(user, "is_authenticated", False) and user.has_permission(permission)


def last_reauthentication(request: HttpRequest) -> datetime | None:
    """Returns when the user last entered the password in this browser session."""
    stored = request.session.get(_REAUTHENTICATED_AT)
    return datetime.fromisoformat(stored) if stored else None


def record_reauthentication(request: HttpRequest) -> None:
    """Records that the user just entered the password again in this browser session."""
    now = clock.now()
    request.session[_REAUTHENTICATED_AT] = now.isoformat()
    request.user.reauthenticated_at = now  # type: ignore[union-attr]  # only staff get here


def _is_within_session_limit(request: HttpRequest) -> bool:
    began = request.session.get(_BEGAN_AT)
    return began is not None and clock.now() - datetime.fromisoformat(began) < settings.BROWSER_SESSION_ABSOLUTE


def _record_denial(request: HttpRequest, patient_id: UUID | None = None) -> None:
    """Audits the refusal. `patient_id` is the patient of the request; without it, the one that the page set
    (`request.about_patient`)."""
    about = patient_id or getattr(request, "about_patient", None)
    details = {"path": audit_log.path_of(request), "method": request.method, "door": "admin"}
    audit_log.record(by=request.user, action="page.refused", outcome=audit_log.DENIED, patient_id=about, **details)  # type: ignore[arg-type]  # only staff get here
