"""Bases for request bodies: what is not declared is refused by name."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.dateparse import parse_datetime
from rest_framework import serializers

from apps.common import emails, text
from apps.rest import aliases


class StrictSerializer(serializers.Serializer):
    """A body whose fields are all known."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError({name: ["There is no such field here."] for name in unknown})
        return super().to_internal_value(data)


class OnceField(serializers.CharField):
    """A secret in a reply, shown this once. A reply that holds one is never kept for an Idempotency-Key."""


class LineField(serializers.CharField):
    """A name or another text of one line, as `text.clean_line` returns it. What only looks blank is refused."""

    default_error_messages = {"looks_blank": text.LOOKS_BLANK}

    def to_internal_value(self, data: Any) -> str:
        try:
            return text.clean_line(super().to_internal_value(data))
        except text.LooksBlank:
            self.fail("looks_blank")


class NameField(LineField):
    """A first or last name, of which one may be empty. Only blanks are no name."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str) and data and not data.strip():
            self.fail("blank")
        return super().run_validation(data)


class EmailAddressField(serializers.CharField):
    """An e-mail address, its local part in any script (RFC 6531)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators.append(emails.validate_email)

    def to_internal_value(self, data: Any) -> str:
        return emails.normal(super().to_internal_value(data))


class IdField(serializers.UUIDField):
    """A UUID, or a name that stands for one (`patient_001` in the sandbox)."""

    def to_internal_value(self, data: Any) -> UUID:
        found = aliases.resolve(data) if isinstance(data, str) else None
        return found or super().to_internal_value(data)


class InstantField(serializers.DateTimeField):
    """An RFC 3339 instant with its offset; a time without one could be two different times and is refused."""

    default_error_messages = {"invalid": "Write the time as RFC 3339 with its offset, like 2025-01-15T10:00:00Z."}

    def to_internal_value(self, value: Any) -> datetime:
        try:
            moment = parse_datetime(value) if isinstance(value, str) and len(value) > len("2025-01-15") else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or not 1850 <= moment.year <= 2200:
            self.fail("invalid", format="RFC 3339")
        return moment.astimezone(UTC)


class InstantOrDayField(InstantField):
    """An instant, or a day, which begins where the clinic is."""

    default_error_messages = {"invalid": "Write a day as YYYY-MM-DD, or a time as RFC 3339 with its offset."}

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str) and len(value) == len("2025-01-15"):
            try:
                return datetime.combine(date.fromisoformat(value), time(), ZoneInfo(settings.CLINIC_TIME_ZONE)).astimezone(UTC)
            except ValueError:
                self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)
