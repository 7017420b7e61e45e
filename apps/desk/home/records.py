"""The list of all models for those who run the system, and the form that makes the menu narrow or wide."""

from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views import View

from apps.access.roles import Role
from apps.desk.kit.navigation import HOME
from apps.desk.kit.site import RAIL

ROLES = frozenset({Role.ADMIN, Role.MANAGER})


class AllRecordsView(View):
    """Django's list of models, as far as the user may open them."""

    site: Any = None

    def get(self, request: HttpRequest) -> HttpResponse:
        if cast("Any", request.user).role not in ROLES:
            raise PermissionDenied
        context = {**self.site.each_context(request), "title": gettext("All records")}
        return TemplateResponse(request, "desk/all_records.html", context)


class MenuView(View):
    """Switches between the narrow and the wide menu. The session keeps the choice."""

    site: Any = None

    def post(self, request: HttpRequest) -> HttpResponse:
        request.session[RAIL] = not request.session.get(RAIL, False)
        back = request.POST.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
        return HttpResponseRedirect(back if is_ours else reverse(HOME))
