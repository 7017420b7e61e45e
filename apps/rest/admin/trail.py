"""The trail, to be read by administrators. There is nothing to change in it."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest

from apps.access.permissions import Permission
from apps.access.roles import Role
from apps.audit.models import AuditEvent
from apps.rest.admin.base import HimsModelAdmin


class RoleFilter(admin.SimpleListFilter):
    """By the role somebody had when he acted."""

    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(role.value, role.value.replace("_", " ")) for role in Role] + [("system", "system"), ("-", "stranger")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        return queryset.filter(role="" if self.value() == "-" else self.value())


@admin.register(AuditEvent)
class AuditEventAdmin(HimsModelAdmin):
    """Who did what, when, from where."""

    noun = "trail"
    title = "Who did what"
    needs = {"view": Permission.AUDIT_VIEW}
    list_display = ("at", "person", "role", "action", "outcome", "ip", "patient_id")
    list_filter = ("outcome", RoleFilter, "at")
    search_fields = ("action",)
    search_help_text = "A username, the beginning of an act (patient.), or the id of a person or patient"
    ordering = ("-at", "-id")
    fields = ("at", "person", "role", "action", "outcome", "patient_id", "object_id", "ip", "request_id", "purpose", "detail")
    readonly_fields = ("person",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        people = get_user_model().objects.filter(pk=OuterRef("user_id")).values("username")[:1]
        return super().get_queryset(request).annotate(username=Subquery(people))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return (queryset.filter(_meant(search_term.strip())) if search_term.strip() else queryset), False

    def patient_of(self, row: AuditEvent) -> UUID | None:
        return row.patient_id

    @admin.display(description="person")
    def person(self, row: Any) -> str:
        return row.username or ("system" if row.role == "system" else "stranger")


def _meant(text: str) -> Q:
    """What the search word stands for."""
    try:
        found = UUID(text)
    except ValueError:
        person = get_user_model().objects.filter(username__iexact=text).values("pk")[:1]
        return Q(action__startswith=text) | Q(user_id=Subquery(person))
    return Q(patient_id=found) | Q(user_id=found)
