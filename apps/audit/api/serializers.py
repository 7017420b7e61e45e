"""Responses of the audit log."""

from datetime import UTC, datetime

from rest_framework import serializers

from apps.audit.models import AuditEvent
from apps.audit.verification.verifier import BrokenRow, Flaw, Verification
from apps.rest.response_serializers import ResponseSerializer


class AuditEventShape(ResponseSerializer):
    """One action. `user_id` is null for an anonymous caller and for the system; `purpose` is set if it is not care or
    operations."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    user_id = serializers.UUIDField(allow_null=True)
    role = serializers.CharField(max_length=20, allow_blank=True)
    action = serializers.CharField(max_length=80)
    outcome = serializers.ChoiceField(choices=AuditEvent.Outcome.choices)
    patient_id = serializers.UUIDField(allow_null=True)
    ip = serializers.CharField(allow_null=True)
    request_id = serializers.CharField(max_length=64, allow_blank=True)
    purpose = serializers.CharField(max_length=80, allow_blank=True)

    @staticmethod
    def get_at(row: AuditEvent) -> str:
        return _exact(row.at)


class BrokenShape(ResponseSerializer):
    """The first row that differs from its seal. `id` and `at` are null if only its position is known."""

    id = serializers.UUIDField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    sequence = serializers.IntegerField(allow_null=True, help_text="The position in the chain; null for a row without one")
    flaw = serializers.ChoiceField(choices=[flaw.value for flaw in Flaw])

    @staticmethod
    def get_at(row: BrokenRow) -> str | None:
        return _exact(row.at) if row.at else None


class VerificationShape(ResponseSerializer):
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

    @staticmethod
    def get_whole_trail_verified_at(result: Verification) -> str | None:
        return _exact(result.whole_trail_verified_at) if result.whole_trail_verified_at else None


def _exact(at: datetime) -> str:
    """Returns the instant to the microsecond, because many rows have the same second, and the renderer writes whole seconds."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
