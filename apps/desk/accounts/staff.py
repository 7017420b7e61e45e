"""The pages of staff: administrators add, change, deactivate and reactivate them."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.access.roles import Role
from apps.accounts import selectors, services
from apps.accounts.models import User
from apps.accounts.rights import Permission
from apps.accounts.services import NewStaff
from apps.desk.accounts.forms import HireForm, SetPasswordForm, StaffForm
from apps.desk.kit.base import ActiveFilter, HimsModelAdmin
from apps.desk.kit.row_actions import RowAction

_PERSON = ("username", "first_name", "last_name", "email", "role")
_DOCTOR_FIELDS = ("specialty", "npi", "taxonomy", "languages")


def _warn_of_booked_appointments(request: HttpRequest, user: User) -> None:
    """Warns how many appointments stay booked with a user who no longer works as a doctor."""
    if count := services.visits_affected(cast("Actor", request.user), user):
        messages.warning(
            request,
            f"Booked appointments with this doctor: {count}. They stay in the schedule until you move or cancel them.",
        )


def _deactivated(request: HttpRequest, row: User, user: User) -> HttpResponse:
    messages.success(request, "The account is closed.")
    _warn_of_booked_appointments(request, user)
    return HttpResponseRedirect(reverse("admin:accounts_user_change", args=[row.pk]))


@admin.register(User)
class UserAdmin(HimsModelAdmin[User]):
    """The list of staff. Portal users are not included."""

    resource = "staff"
    title = _("Staff")
    add_label = _("Invite a member of staff")
    needs = {"view": Permission.STAFF_VIEW, "add": Permission.STAFF_MANAGE, "change": Permission.STAFF_MANAGE}
    recent_login = ("add",)
    form = StaffForm
    list_display = ("username", "last_name", "first_name", "role", "email", "active", "last_login", "api_keys")
    list_filter = (ActiveFilter, "role")
    search_fields = ("username", "first_name", "last_name", "email")
    search_help_text = _("Words of the name, username or e-mail")
    ordering = ("last_name", "first_name", "pk")
    row_actions = (
        RowAction(
            name="set-password",
            recent_login=True,
            label="Set password",
            permission=Permission.STAFF_SET_PASSWORD,
            form=SetPasswordForm,
            run=lambda by, row, answers: services.set_password(
                by=by, user_id=row.pk, password=answers["password"], revoke_api_keys=answers["revoke_api_keys"]
            ),
            question="Ends every session of this person.",
            done="The password was changed and all sessions of this person have ended.",
        ),
        RowAction(
            name="reset-mfa",
            recent_login=True,
            label="Reset two-step sign-in",
            permission=Permission.STAFF_MANAGE,
            run=lambda by, row, _: services.reset_mfa(by=by, user_id=row.pk),
            question="For a person who lost their phone and their recovery codes. Verify their identity first. All their "
            "sessions end. They sign in with the password alone and can set up two-step sign-in again.",
            done="Two-step sign-in is off, and all sessions of this person have ended.",
            available=lambda row, user: row.pk != user.pk,
            destructive=True,
        ),
        RowAction(
            name="deactivate",
            recent_login=True,
            label="Deactivate",
            permission=Permission.STAFF_MANAGE,
            run=lambda by, row, _: services.deactivate(by=by, user_id=row.pk),
            question="This person is signed out everywhere immediately and can no longer sign in. What they recorded stays.",
            done="The account is closed.",
            result_page=_deactivated,
            available=lambda row, user: row.is_active and row.pk != user.pk,
            destructive=True,
        ),
        RowAction(
            name="reactivate",
            recent_login=True,
            label="Reactivate",
            permission=Permission.STAFF_MANAGE,
            run=lambda by, row, _: services.reactivate(by=by, user_id=row.pk),
            question="This person can sign in again with their previous password.",
            done="The account is open again.",
            available=lambda row, _: not row.is_active,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return selectors.with_live_keys(super().get_queryset(request).exclude(role=Role.PATIENT))

    @admin.display(description=_("API keys"))
    def api_keys(self, row: User) -> int:
        return int(row.live_keys)  # type: ignore[attr-defined]  # selectors.with_live_keys adds it

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[User], search_term: str) -> tuple[QuerySet[User], bool]:
        for word in search_term.replace("\x00", "").split():
            fits = (
                Q(username__icontains=word)
                | Q(first_name__icontains=word)
                | Q(last_name__icontains=word)
                | Q(email__icontains=word)
            )
            queryset = queryset.filter(fits)
        return queryset, False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs if change else kwargs | {"form": HireForm})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None:
            return [(None, {"fields": (*_PERSON, "active", "last_login", "created_at")})]
        return [(None, {"fields": (*_PERSON, "password", "again")}), ("Only for doctors", {"fields": _DOCTOR_FIELDS})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("username", "active", "last_login", "created_at") if obj is not None else ()

    def add(self, request: HttpRequest, form: HireForm) -> User:
        cleaned = {name: form.cleaned_data[name] for name in (*_PERSON, *_DOCTOR_FIELDS, "password")}
        return services.hire(by=request.user, staff=NewStaff(**cleaned))  # type: ignore[arg-type]  # only staff get here

    def amend(self, request: HttpRequest, row: User, changes: dict[str, Any]) -> None:
        user = services.change_staff(by=request.user, user_id=row.pk, changes=changes)  # type: ignore[arg-type]  # only staff get here
        if "role" in changes:
            _warn_of_booked_appointments(request, user)
