"""Routes of patients and their charts."""

from django.urls import path

from apps.patients.api.views import MedicalHistoryViewSet, PatientViewSet

urlpatterns = [
    path("patients", PatientViewSet.as_view({"get": "list", "post": "create"}), name="patients"),
    path(
        "patients/<str:pk>",
        PatientViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update"}),
        name="patient",
    ),
    path("patients/<str:pk>/deactivate", PatientViewSet.as_view({"post": "deactivate"}), name="patient-deactivate"),
    path("patients/<str:pk>/reactivate", PatientViewSet.as_view({"post": "reactivate"}), name="patient-reactivate"),
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
