"""The catalogue of drugs: all who prescribe or dispense look drugs up; the pharmacy adds and changes them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.desk.kit.base import HimsModelAdmin
from apps.prescriptions.catalogue import search, selectors
from apps.prescriptions.catalogue.services import keeping
from apps.prescriptions.catalogue.services.keeping import NewDrug
from apps.prescriptions.catalogue.words import QUERY_MAX
from apps.prescriptions.models import Drug, Schedule
from apps.prescriptions.rights import Permission

_KEPT = ("brand_names", "schedule", "use", "is_offered")


class OfferedFilter(admin.SimpleListFilter):
    """Drugs that can be prescribed, unless all are asked for."""

    title = _("status")
    parameter_name = "offered"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Not offered"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Drug]) -> QuerySet[Drug]:
        return queryset.filter(is_offered=self.value() != "no")


@admin.register(Drug)
class DrugAdmin(HimsModelAdmin[Drug]):
    """A search finds drugs as the API's does."""

    resource = "drug"
    title = _("Medicines")
    add_label = _("Add a medicine")
    needs = {"view": Permission.DRUG_VIEW, "add": Permission.DRUG_KEEP, "change": Permission.DRUG_KEEP}
    list_display = ("name", "brands", "use", "schedule_text", "route")
    list_filter = (OfferedFilter, "schedule")
    search_fields = ("name",)
    search_help_text = _("Beginnings of words in any order: generic name, brand, strength, form")
    ordering = ("name", "id")

    def get_fields(self, request: HttpRequest, obj: Drug | None = None) -> Any:
        """A new drug is described by its name; an existing one shows what was read from it."""
        if obj is None:
            return ("rxnorm_name", "rxcui", "brand_names", "schedule", "use")
        return ("name", "strength", "form", "route", "unit", "contents", *_KEPT, "rxcui", "rxnorm_name", "source")

    def get_readonly_fields(self, request: HttpRequest, obj: Drug | None = None) -> Any:
        return () if obj is None else [name for name in self.get_fields(request, obj) if name not in _KEPT]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Drug]:
        return super().get_queryset(request).defer("words")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Drug], search_term: str) -> tuple[QuerySet[Drug], bool]:
        query = search_term.strip()[:QUERY_MAX].replace("\x00", "")
        if not query:
            return queryset, False
        result = search.find(visible_to=request.user, text=query, with_not_offered=True).rows  # type: ignore[arg-type]  # only staff get here
        return queryset.filter(pk__in=result.order_by().values("pk")).annotate(**result.query.annotations).order_by(
            *result.query.order_by
        ), False

    def add(self, request: HttpRequest, form: Any) -> Drug:
        cleaned = form.cleaned_data
        new = NewDrug(
            name=cleaned["rxnorm_name"],
            rxcui=cleaned["rxcui"] or "",
            brand_names=cleaned["brand_names"] or (),
            schedule=cleaned["schedule"],
            use=cleaned["use"],
        )
        return keeping.add_drug(by=request.user, new=new)  # type: ignore[arg-type]  # only staff get here

    def amend(self, request: HttpRequest, row: Drug, changes: dict[str, Any]) -> None:
        keeping.change_drug(by=request.user, drug_id=row.pk, changes=changes)  # type: ignore[arg-type]  # only staff get here

    @admin.display(description=_("brands"))
    def brands(self, row: Drug) -> str:
        return ", ".join(row.brand_names)

    @admin.display(description=_("controlled drug"))
    def schedule_text(self, row: Drug) -> str:
        return Schedule(row.schedule).label if row.schedule else ""

    @admin.display(description=_("ingredients"))
    def contents(self, row: Drug) -> str:
        names = [part.ingredient.name for part in selectors.details([row])[0].ingredients]
        return ", ".join(names) or gettext("Not known: the safety checks cannot check this drug.")
