"""Routes of the audit log."""

from django.urls import path

from apps.audit.api.views import AuditEventViewSet, VerificationViewSet

urlpatterns = [
    path("audit-events", AuditEventViewSet.as_view({"get": "list"}), name="audit-events"),
    path("audit-events/verify", VerificationViewSet.as_view({"get": "verify"}), name="audit-events-verify"),
]
