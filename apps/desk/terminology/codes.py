"""ICD-10-CM for reading: the codes, searched by words, and the loaded releases. Nothing can be changed."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.common import clock
from apps.common.models import M
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.site import can_open
from apps.terminology import rules, selectors
from apps.terminology.models import IcdCode, IcdRelease
from apps.terminology.rights import Permission


class ReadOnly(HimsModelAdmin[M]):
    """Reference data: a user with the permission sees all of it."""

    needs = {"view": Permission.TERMINOLOGY_READ}

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows = self.model._default_manager.order_by(*self.get_ordering(request))
        return rows if can_open(request.user, self.needs["view"]) else rows.none()


@admin.register(IcdCode)
class IcdCodeAdmin(ReadOnly[IcdCode]):
    """A search finds the codes that are valid today, as the API's does; without one also those that have ended are listed."""

    resource = "icd10"
    title = _("ICD-10-CM codes")
    list_display = ("code", "display", "billable", "effective_from", "effective_to")
    list_filter = ("billable", "chapter")
    search_fields = ("code",)
    search_help_text = _("Beginnings of words in any order, or the beginning of a code")
    ordering = ("code", "effective_from")  # the order of a unique index; another one sorted all 98,000 codes for a page
    fields = (
        *("code", "display", "billable", "parent", "block", "chapter"),
        *("effective_from", "effective_to", "release"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[IcdCode]:
        return super().get_queryset(request).select_related("release").defer("words")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[IcdCode], search_term: str
    ) -> tuple[QuerySet[IcdCode], bool]:
        query = search_term.strip()[: rules.QUERY_MAX]
        if not query:
            return queryset, False
        codes = selectors.search(query, on=clock.today())
        return queryset.filter(pk__in=codes.order_by().values("pk")).order_by(*codes.query.order_by), False


@admin.register(IcdRelease)
class IcdReleaseAdmin(ReadOnly[IcdRelease]):
    """The loaded releases, with their dates."""

    resource = "icd10_release"
    title = _("ICD-10-CM releases")
    list_display = ("name", "effective_from", "codes", "billable", "loaded_at")
    ordering = ("-effective_from", "id")
    fields = ("name", "effective_from", "source", "codes", "billable", "loaded_at")
