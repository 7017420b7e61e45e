# What HIMS uses of django-filter, which has no types of its own.

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.request import Request

class Filter:
    field_class: ClassVar[type[forms.Field]]
    extra: dict[str, Any]
    method: str | None
    lookup_expr: str
    field_name: str | None
    def __init__(
        self,
        field_name: str | None = ...,
        lookup_expr: str | None = ...,
        *,
        label: str | None = ...,
        method: str | None = ...,
        distinct: bool = ...,
        exclude: bool = ...,
        **kwargs: Any,
    ) -> None: ...
    @property
    def field(self) -> forms.Field: ...
    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]: ...

class BooleanFilter(Filter): ...
class CharFilter(Filter): ...
class ChoiceFilter(Filter): ...
class DateFilter(Filter): ...
class IsoDateTimeFilter(Filter): ...
class NumberFilter(Filter): ...
class UUIDFilter(Filter): ...

class FilterSet:
    base_filters: ClassVar[Mapping[str, Filter]]
    filters: Mapping[str, Filter]
    errors: Mapping[str, list[str]]
    def __init__(
        self,
        data: Mapping[str, Any] | None = ...,
        queryset: QuerySet[Any] | None = ...,
        *,
        request: HttpRequest | Request | None = ...,
        prefix: str | None = ...,
    ) -> None: ...
    def is_valid(self) -> bool: ...
    @property
    def qs(self) -> QuerySet[Any]: ...
