"""The pages of doctors: their profile in addition to the account. All staff find them; administrators edit them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts import selectors, services
from apps.accounts.models import Doctor
from apps.accounts.rights import Permission
from apps.desk.kit.base import HimsModelAdmin


@admin.register(Doctor)
class DoctorAdmin(HimsModelAdmin[Doctor]):
    """The list of doctors. A doctor is created as staff, on the staff page."""

    resource = "doctor"
    needs = {"view": Permission.DOCTOR_VIEW, "change": Permission.STAFF_MANAGE}
    list_display = ("name", "specialty", "npi", "language_list")
    list_select_related = ("user",)
    search_fields = ("specialty",)
    search_help_text = _("Words of the name or the specialty")
    ordering = ("user__last_name", "user__first_name", "pk")
    fields = ("name", "specialty", "npi", "taxonomy", "languages")
    readonly_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Doctor]:
        return super().get_queryset(request).select_related("user")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Doctor], search_term: str
    ) -> tuple[QuerySet[Doctor], bool]:
        return selectors.doctors_named(queryset, search_term.replace("\x00", "")), False

    def amend(self, request: HttpRequest, row: Doctor, changes: dict[str, Any]) -> None:
        services.change_doctor_profile(by=request.user, user_id=row.pk, changes=changes)  # type: ignore[arg-type]  # only staff get here

    @admin.display(description=_("doctor"))
    def name(self, row: Doctor) -> str:
        return str(row.user)

    @admin.display(description=_("languages"))
    def language_list(self, row: Doctor) -> str:
        return ", ".join(row.languages)
