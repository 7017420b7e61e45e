"""Routes under /v1/sandbox."""

from django.urls import path

from apps.sandbox.api.views import DeprecatedViewSet

urlpatterns = [path("sandbox/deprecated", DeprecatedViewSet.as_view({"get": "retrieve"}), name="sandbox-deprecated")]
