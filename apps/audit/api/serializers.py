"""Responses of the audit log."""

from rest_framework import serializers

from apps.audit.models import AuditEvent
from apps.audit.verification.verifier import BrokenRow, Flaw, Verification


class AuditEventShape(serializers.ModelSerializer[AuditEvent]):
    """One action. `user_id` is null for an anonymous caller and for the system; `purpose` is set if it is not care or
    operations."""

    class Meta:
        model = AuditEvent
        fields = ("id", "at", "user_id", "role", "action", "outcome", "patient_id", "ip", "request_id", "purpose")


class BrokenShape(serializers.Serializer[BrokenRow]):
    """The first row that differs from its seal. `id` and `at` are null if only its position is known."""

    id = serializers.UUIDField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    sequence = serializers.IntegerField(allow_null=True, help_text="The position in the chain; null for a row without one")
    flaw = serializers.ChoiceField(choices=[flaw.value for flaw in Flaw])


class VerificationShape(serializers.Serializer[Verification]):
    """Whether the audit log matches its seals."""

    intact = serializers.BooleanField(
        help_text="False where this request or the worker's last pass over the whole log found a flaw"
    )
    checked = serializers.IntegerField(help_text="Sealed rows that this request recomputed: a bounded number")
    unsealed = serializers.IntegerField(
        help_text="Rows of the last seconds, which wait for their seal; at most 100,000 are counted"
    )
    first_broken = BrokenShape(allow_null=True)
    whole_trail_verified_at = serializers.DateTimeField(
        allow_null=True, help_text="When the worker last recomputed the whole log and found it intact; null if it never has"
    )
