"""What happens to drafts around every page of the site: they are offered, filled in, stored when a session has ended, deleted."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from apps.common import clinic_times
from apps.common.errors import Invalid
from apps.desk.drafts import forms_in_page, selectors, services
from apps.desk.kit.site import WRITER_COOKIE
from apps.desk.models import Draft

_SALT = "apps.desk.drafts"
_SAVED = (302, 303)


class DraftKeeper:
    """Wraps the views of the site. `names_writer` and `writer_of` prove who was signed in when a page was opened: with it the
    text of an ended session is stored for that person only."""

    def __init__(self, site: Any) -> None:
        self.site = site

    def wrap(self, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        """Returns the view with drafts."""

        def outer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            is_post = request.method == "POST"
            if is_post and not self.site.has_permission(request):
                return self._keep_unsent(request) or view(request, *args, **kwargs)
            response = view(request, *args, **kwargs)
            user_id = getattr(request.user, "pk", None)
            if user_id is None:
                return response
            if is_post and response.status_code in _SAVED:
                services.discard_saved(user_id=user_id, path=request.get_full_path(), sent=dict(request.POST.lists()))
            elif request.method == "GET" and response.status_code == 200 and _is_page(response):  # OK
                self._offer(request, response, user_id)
            return response

        return update_wrapper(outer, view)

    def context(self, request: HttpRequest) -> dict[str, Any]:
        """Returns the signed name of the user, and after how many idle seconds the session ends."""
        return {"writer": name_of(request.user.pk), "idle": settings.SESSION_COOKIE_AGE}  # type: ignore[arg-type]  # only staff get here

    def _keep_unsent(self, request: HttpRequest) -> HttpResponse | None:
        """Stores a form whose session has ended for its writer. Returns the sign-in page, which leads back to the form."""
        writer = writer_of(request.get_signed_cookie(WRITER_COOKIE, default="", salt=_SALT, max_age=_valid_for()) or "")
        if writer is None:
            return None
        fields = dict(request.POST.lists())
        try:
            services.keep(user_id=writer, path=request.get_full_path(), fields=fields, fills_form=True)
        except Invalid:
            return None
        onward = urlencode({"next": _page_of(request)})
        return HttpResponseRedirect(f"{reverse('admin:login', current_app=self.site.name)}?{onward}")

    def _offer(self, request: HttpRequest, response: HttpResponse, user_id: UUID) -> None:
        """Offers the drafts of the forms in the page, or fills them in. One query for a page with forms that post."""
        page = request.get_full_path()
        html = response.content.decode(response.charset)
        drafts = selectors.drafts_of(user_id, forms_in_page.paths(html, page))
        if not drafts:
            return
        for draft in drafts:
            html = self._with(request, html, page, draft)
        response.content = html.encode(response.charset)

    def _with(self, request: HttpRequest, html: str, page: str, draft: Draft) -> str:
        same = [
            one
            for one in forms_in_page.forms(html, page)
            if one.path == draft.path and services.is_of_form(draft, one.hidden) and services.agrees(draft, one.hidden)
        ]
        form = next((one for one in same if one.typed), None)
        if form is None or not form.differs_from(draft.fields):
            return html
        context = {
            "draft": draft,
            "at": clinic_times.clock_time(draft.updated_at),
            "left_over": form.left_over(draft.fields) if draft.fills_form else {},
            "page": page,
        }
        notice = render_to_string("desk/draft_notice.html", context, request=request)
        return forms_in_page.fill(html, form, draft.fields if draft.fills_form else {}, notice, opens=draft.fills_form)


def names_writer(response: HttpResponse, user_id: UUID) -> None:
    """Marks the browser with the person who signs in, for as long as a session may last."""
    response.set_signed_cookie(
        WRITER_COOKIE,
        name_of(user_id),
        salt=_SALT,
        max_age=_valid_for(),
        path="/admin/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def name_of(user_id: UUID) -> str:
    """Returns the signed name of a writer, for a page that the writer opens."""
    return signing.dumps(str(user_id), salt=_SALT)


def writer_of(name: str) -> UUID | None:
    """Returns the active person of the signed name; None if it is not ours or too old."""
    try:
        user_id = UUID(signing.loads(name, salt=_SALT, max_age=_valid_for()))
    except (signing.BadSignature, ValueError):
        return None
    return user_id if selectors.may_write(user_id) else None


def local(request: HttpRequest, address: str) -> str:
    """Returns the address if it is one of ours, else the home page."""
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if is_ours else reverse("admin:index")


def _page_of(request: HttpRequest) -> str:
    """Returns the page on which the form was, which may have another address than the form."""
    referer = urlsplit(request.headers.get("Referer", ""))
    if referer.netloc == request.get_host() and referer.path.startswith("/admin/"):
        return referer.path + (f"?{referer.query}" if referer.query else "")
    return request.get_full_path()


def _valid_for() -> int:
    return int(settings.BROWSER_SESSION_ABSOLUTE.total_seconds())


def _is_page(response: HttpResponse) -> bool:
    return not response.streaming and response.headers.get("Content-Type", "").startswith("text/html")
