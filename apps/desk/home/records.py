"""The list of all models for those who run the system, and the form that makes the menu narrow or wide."""

from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.views import View

from apps.access.roles import Role
from apps.desk.kit.language import back_address
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
        return HttpResponseRedirect(back_address(request))
