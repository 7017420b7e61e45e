"""The root: the API, the admin, the developer pages, health."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views import defaults
from django.views.generic import RedirectView

from apps.common.errors import HimsError
from apps.rest import errors, health, middleware
from apps.rest.api.views import NoRouteViewSet

no_route = NoRouteViewSet.as_view(dict.fromkeys(NoRouteViewSet.http_method_names, "nowhere"))

urlpatterns = [
    path("v1/", include("hims.api_v1")),
    re_path(r"^v\d+(?:/[\s\S]*)?\Z", no_route),
    path("admin/", admin.site.urls),
    path("developers", RedirectView.as_view(url="/developers/")),
    path("developers/", include("apps.developers.urls")),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("", RedirectView.as_view(url="/admin/")),
]


def handler500(request: HttpRequest) -> HttpResponse:
    """An error outside every view: the envelope on /v1, a page elsewhere."""
    return errors.respond(HimsError()) if middleware.is_api(request) else defaults.server_error(request)
