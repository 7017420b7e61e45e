"""Every route of /v1, gathered from the apps."""

from django.urls import include, path

from apps.rest.api.views import VersionViewSet

urlpatterns = [
    path("version", VersionViewSet.as_view({"get": "list"}), name="version"),
    path("", include("apps.accounts.api.urls")),
    path("", include("apps.patients.api.urls")),
    path("", include("apps.notifications.api.urls")),
    path("", include("apps.developers.api_urls")),
]
