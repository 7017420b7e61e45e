"""Filters of the list of consultations."""

from datetime import datetime, time, timedelta
from typing import Any, TypeAlias, TypedDict, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import WithAnnotations

from apps.access.actor import Actor
from apps.common import clock
from apps.consultations.models import LIVE, STATUSES, Consultation
from apps.consultations.rights import Permission
from apps.consultations.rules import TO_SIGN_WITHIN
from apps.desk.accounts.doctor_choices import doctor_choices
from apps.desk.consultations import labels
from apps.desk.kit.site import can_open

_UNSIGNED, _ALERT = "unsigned", "alert"


class DoctorFilter(admin.SimpleListFilter):
    """The user's own, or a doctor's."""

    title = _("doctor")
    parameter_name = "doctor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", gettext("Mine")), *doctor_choices(cast("Actor", request.user))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Consultation]) -> QuerySet[Consultation]:
        if not self.value():
            return queryset
        if self.value() == "mine":
            return queryset.filter(doctor=cast("Any", request.user).pk)
        known = {value for value, _ in self.lookup_choices}
        return queryset.filter(doctor=UUID(self.value())) if self.value() in known else queryset.none()


class DayFilter(admin.SimpleListFilter):
    """The day on which it started, in the clinic's time zone."""

    title = _("day")
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("today", gettext("Today")), ("yesterday", gettext("Yesterday")), ("week", gettext("The last 7 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Consultation]) -> QuerySet[Consultation]:
        first, days = {"today": (0, 1), "yesterday": (1, 1), "week": (6, 7)}.get(self.value() or "", (0, 0))
        if not days:
            return queryset.none() if self.value() else queryset
        zone = ZoneInfo(settings.CLINIC_TIME_ZONE)
        since = datetime.combine(clock.today() - timedelta(days=first), time.min, zone)
        return queryset.filter(started_at__gte=since, started_at__lt=since + timedelta(days=days))


class _OpenAlert(TypedDict):
    alert_since: datetime | None  # `ConsultationAdmin.get_queryset` adds it


_WithAlert: TypeAlias = "WithAnnotations[Consultation, _OpenAlert]"


class StatusFilter(admin.SimpleListFilter):
    """A status; started more than a day ago and not signed; or with an urgent alert that no doctor has acknowledged."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        unsigned, alert = (_UNSIGNED, "Unsigned for more than 24 h"), (_ALERT, "Alert not acknowledged")
        return [
            unsigned,
            *([alert] if _sees_alerts(request) else []),
            *((status, str(labels.STATES[status].word)) for status, _ in STATUSES),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[_WithAlert]) -> QuerySet[_WithAlert]:
        if self.value() == _UNSIGNED:
            return queryset.filter(status__in=LIVE, started_at__lt=clock.now() - TO_SIGN_WITHIN)
        if self.value() == _ALERT:
            return queryset.filter(alert_since__isnull=False) if _sees_alerts(request) else queryset.none()
        return queryset.filter(status=self.value()) if self.value() else queryset


def _sees_alerts(request: HttpRequest) -> bool:
    return can_open(request.user, Permission.CONSULTATION_SEE_NOTES)
