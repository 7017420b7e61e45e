"""Routes of patients and their charts."""

from django.urls import path

from apps.patients.api.duplicates import MatchViewSet, NotSameViewSet
from apps.patients.api.merges import MergePreviewViewSet, MergeViewSet
from apps.patients.api.restricted import AccessLogViewSet, BreakGlassViewSet, RestrictionViewSet
from apps.patients.api.views import MedicalHistoryViewSet, PatientViewSet

urlpatterns = [
    path("patients", PatientViewSet.as_view({"get": "list", "post": "create"}), name="patients"),
    path("patients/match", MatchViewSet.as_view({"post": "match"}), name="patients-match"),
    path("patients/break-glass", BreakGlassViewSet.as_view({"post": "by_mrn"}), name="break-glass-by-mrn"),
    path("patients/merges/<str:pk>", MergeViewSet.as_view({"get": "retrieve"}), name="merge"),
    path("patients/merges/<str:pk>/undo", MergeViewSet.as_view({"post": "undo"}), name="merge-undo"),
    path(
        "patients/<str:pk>",
        PatientViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update"}),
        name="patient",
    ),
    path("patients/<str:pk>/deactivate", PatientViewSet.as_view({"post": "deactivate"}), name="patient-deactivate"),
    path("patients/<str:pk>/reactivate", PatientViewSet.as_view({"post": "reactivate"}), name="patient-reactivate"),
    path("patients/<str:pk>/not-same", NotSameViewSet.as_view({"post": "not_same"}), name="patient-not-same"),
    path("patients/<str:pk>/merge", MergeViewSet.as_view({"post": "create"}), name="patient-merge"),
    path("patients/<str:pk>/merge-preview", MergePreviewViewSet.as_view({"get": "retrieve"}), name="patient-merge-preview"),
    path("patients/<str:pk>/restricted", RestrictionViewSet.as_view({"put": "update"}), name="patient-restricted"),
    path("patients/<str:pk>/break-glass", BreakGlassViewSet.as_view({"post": "break_glass"}), name="patient-break-glass"),
    path("patients/<str:pk>/access-log", AccessLogViewSet.as_view({"get": "list"}), name="patient-access-log"),
    path(
        "patients/<str:pk>/medical-history",
        MedicalHistoryViewSet.as_view({"get": "list", "post": "create"}),
        name="medical-history",
    ),
    path(
        "patients/<str:pk>/medical-history/<str:entry>",
        MedicalHistoryViewSet.as_view({"get": "retrieve"}),
        name="medical-history-entry",
    ),
    path(
        "patients/<str:pk>/medical-history/<str:entry>/retract",
        MedicalHistoryViewSet.as_view({"post": "retract"}),
        name="medical-history-retract",
    ),
]
