"""The root: the API, the admin, the developer pages, health."""

import sys

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views import defaults
from django.views.generic import RedirectView

from apps.common.errors import HimsError, Unavailable
from apps.common.outage import is_outage
from apps.rest import errors, health, middleware, unavailable
from apps.rest.api.views import IndexViewSet, NoRouteViewSet

no_route = NoRouteViewSet.as_view(dict.fromkeys(NoRouteViewSet.http_method_names, "nowhere"))

urlpatterns = [
    path("v1", IndexViewSet.as_view({"get": "list"}), name="index"),
    path("v1/", include("hims.api_v1")),
    re_path(r"^v\d+(?:/[\s\S]*)?\Z", no_route),
    path("admin/", admin.site.urls),
    path("developers", RedirectView.as_view(url="/developers/")),
    path("developers/", include("apps.developers.pages.urls")),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("", RedirectView.as_view(url="/admin/")),
]


def handler500(request: HttpRequest) -> HttpResponse:
    """Return the reply to an exception that no view handled: the envelope on /v1, a page elsewhere.

    Django calls this while it handles the exception, whether a view, a template or a middleware raised it. A database that is
    away or full is a 503 with a page that needs neither database nor templates.
    """
    outage = is_outage(sys.exc_info()[1])
    if middleware.is_api(request):
        return errors.respond(Unavailable() if outage else HimsError())
    return unavailable.page() if outage else defaults.server_error(request)
