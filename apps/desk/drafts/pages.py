"""The addresses to which the module `drafts.js` sends what is typed, and the buttons of the notice."""

import json
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from apps.common import clinic_times
from apps.common.errors import Invalid
from apps.desk.drafts import keeper, services

_OK, _UNREADABLE, _SIGNED_OUT, _TOO_LARGE = 200, 400, 401, 413


@method_decorator(csrf_exempt, name="dispatch")
class DraftView(View):
    """Stores a draft. The signed name of the writer, which only a page of that person has, replaces the CSRF token: the
    token changes with each sign-in, and the text typed before and after it belongs to the same form.

    Replies 401 if the writer is not signed in any more. The draft is stored nevertheless.
    """

    site: Any = None

    def get(self, request: HttpRequest) -> HttpResponse:
        """Extends the session of a user who says so; 401 without one."""
        return JsonResponse({}, status=_OK if self.site.has_permission(request) else _SIGNED_OUT)

    def post(self, request: HttpRequest) -> HttpResponse:
        writer = keeper.writer_of(request.POST.get("writer", ""))
        fields = _fields(request.POST.get("fields", ""))
        if writer is None or fields is None or not request.POST.get("path", "").startswith("/admin/"):
            return JsonResponse({}, status=_UNREADABLE)
        try:
            draft = services.keep(
                user_id=writer, path=request.POST["path"], identity=request.POST.get("identity", ""), fields=fields
            )
        except Invalid:
            return JsonResponse({}, status=_TOO_LARGE)
        reply = {"at": f"{clinic_times.local(draft.updated_at):%H:%M:%S}"}
        if not (self.site.has_permission(request) and cast("Any", request.user).pk == writer):
            request.is_unattended = True  # type: ignore[attr-defined]  # another person's session is not extended
            return JsonResponse(reply, status=_SIGNED_OUT)
        return JsonResponse(reply | {"csrf": get_token(request)})


class DraftAnswerView(View):
    """What the user does with an offered draft: fills the form with it, or discards it."""

    site: Any = None

    def post(self, request: HttpRequest) -> HttpResponse:
        chosen = request.POST.get("draft", "")
        if chosen.isascii() and chosen.isdecimal() and len(chosen) < 19:  # of 64 bits
            act = services.fill_in if "fill" in request.POST else services.discard
            act(user_id=cast("Any", request.user).pk, draft_id=int(chosen))
        return HttpResponseRedirect(keeper.local(request, request.POST.get("page", "")))


def _fields(text: str) -> dict[str, list[str]] | None:
    """Returns the names and values of the inputs; None if it is not an object of lists of texts."""
    try:
        fields = json.loads(text)
    except ValueError:
        return None
    is_readable = isinstance(fields, dict) and all(
        isinstance(values, list) and all(isinstance(one, str) for one in values) for values in fields.values()
    )
    return fields if is_readable else None
