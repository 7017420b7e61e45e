"""Routes of the API's own resources."""

from django.urls import path

from apps.rest.api.views import VersionViewSet

urlpatterns = [
    path("version", VersionViewSet.as_view({"get": "list"}), name="version"),
]
