"""Every route of /v1, gathered from the apps."""

from django.apps import apps
from django.urls import include, path

from apps.rest.api.audit_log import AuditEventViewSet, VerificationViewSet
from apps.rest.api.terminology import IcdCodeViewSet
from apps.rest.api.views import VersionViewSet

urlpatterns = [  # what is asked most stands first: each route before it is tried
    path("", include("apps.patients.api.urls")),
    path("", include("apps.appointments.api.urls")),
    path("", include("apps.consultations.api.urls")),
    path("", include("apps.notifications.api.urls")),
    path("", include("apps.accounts.api.urls")),
    path("version", VersionViewSet.as_view({"get": "list"}), name="version"),
    path("audit-events", AuditEventViewSet.as_view({"get": "list"}), name="audit-events"),
    path("audit-events/verify", VerificationViewSet.as_view({"get": "verify"}), name="audit-events-verify"),
    path("terminology/icd10", IcdCodeViewSet.as_view({"get": "list"}), name="icd10"),
    path("", include("apps.developers.api.urls")),
]
if apps.is_installed("apps.sandbox"):
    urlpatterns.append(path("", include("apps.sandbox.api.urls")))
