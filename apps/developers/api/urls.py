"""The OpenAPI file, under /v1."""

from django.urls import path

from apps.developers.api.views import OpenApiViewSet

urlpatterns = [
    path("openapi.json", OpenApiViewSet.as_view({"get": "as_json"}), name="openapi-json"),
    path("openapi.yaml", OpenApiViewSet.as_view({"get": "as_yaml"}), name="openapi-yaml"),
]
