"""Bases for request bodies: what is not declared is refused by name."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.rest import aliases


class StrictSerializer(serializers.Serializer):
    """A body whose fields are all known."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError({name: ["There is no such field here."] for name in unknown})
        return super().to_internal_value(data)


class IdField(serializers.UUIDField):
    """A UUID, or a name that stands for one (`patient_001` in the sandbox)."""

    def to_internal_value(self, data: Any) -> UUID:
        found = aliases.resolve(data) if isinstance(data, str) else None
        return found or super().to_internal_value(data)
