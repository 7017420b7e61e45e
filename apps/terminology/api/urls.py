"""Routes of the code systems."""

from django.urls import path

from apps.terminology.api.views import IcdCodeViewSet

urlpatterns = [
    path("terminology/icd10", IcdCodeViewSet.as_view({"get": "list"}), name="icd10"),
]
