"""The pages of API keys: users manage their own, administrators see all. A page shows a key's text once; no session stores it."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.scopes import Scope
from apps.accounts import services
from apps.accounts.models import ApiKey, ApiKeyQuerySet
from apps.accounts.rights import Permission
from apps.accounts.services import IssuedKey, NewKey
from apps.common import clock
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.forms import ServiceForm
from apps.desk.kit.row_actions import RowAction

_SCOPES_IN_LIST = 3
_FORM_FIELDS = ("name", "scopes", "expires_at", "allowed_cidrs")


class KeyForm(ServiceForm[ApiKey]):
    """The form for creating an API key for oneself."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        help_text="What the program may do, within your own permissions. Write access does not include read access.",
    )
    allowed_cidrs = SimpleArrayField(
        forms.CharField(max_length=43),
        required=False,
        label="Allowed addresses",
        help_text="Addresses or blocks, separated by commas: 203.0.113.0/24, 2001:db8::1. Empty: any address.",
    )

    class Meta:
        model = ApiKey
        fields = _FORM_FIELDS
        help_texts = {"name": "What the key is for", "expires_at": "Empty: it works until it is revoked."}


class StateFilter(admin.SimpleListFilter):
    """Filters keys by state: active or revoked."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("active", "Active"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        if self.value() == "active":
            return cast("ApiKeyQuerySet", queryset).live(clock.now())
        return queryset.exclude(revoked_at=None) if self.value() == "revoked" else queryset


@admin.register(ApiKey)
class ApiKeyAdmin(HimsModelAdmin[ApiKey]):
    """The list of keys. A key cannot be edited; it is rotated, or revoked and created again."""

    resource = "api_key"
    title = _("API keys")
    add_label = _("Make an API key")
    needs = {"view": Permission.KEY_KEEP, "add": Permission.KEY_KEEP}
    recent_login = ("add",)
    form = KeyForm
    list_display = ("name", "user", "text", "state", "some_scopes", "last_used_at", "expires_at")
    list_filter = (StateFilter,)
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username", "user__last_name")
    search_help_text = _("Name, beginning of the key, or username or last name of the owner")
    ordering = ("-created_at", "-pk")
    row_actions = (
        RowAction(
            name="rotate",
            label="Rotate",
            permission=Permission.KEY_KEEP,
            run=lambda by, row, _: services.rotate_key(by=by, key_id=row.pk),
            question="The key gets a new secret, shown once. The old secret works for another 24 hours.",
            done="The key has a new secret.",
            available=lambda row, user: row.user_id == user.pk and row.state(clock.now()) == "active",
            recent_login=True,
            result_page=lambda request, _, made: show_key_once(request, made),
        ),
        RowAction(
            name="revoke",
            label="Revoke",
            permission=Permission.KEY_KEEP,
            run=lambda by, row, _: services.revoke_key(by=by, key_id=row.pk),
            question="The next request with this key is refused. A revoked key cannot be restored.",
            done="The key is revoked.",
            available=lambda row, _: row.revoked_at is None,
            destructive=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return super().get_queryset(request).select_related("user")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": _FORM_FIELDS})]
        shown_fields = (
            "name",
            "user",
            "text",
            "state",
            "scope_list",
            "allowed_cidrs",
            "created_at",
            "last_used_at",
            "expires_at",
        )
        return [(None, {"fields": (*shown_fields, "revoked_at")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("text", "state", "scope_list") if obj is not None else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs if obj is None else kwargs | {"form": ServiceForm})

    def add(self, request: HttpRequest, form: KeyForm) -> ApiKey:
        cleaned = {name: form.cleaned_data[name] for name in _FORM_FIELDS}
        issued = services.create_key(by=request.user, owner_id=request.user.pk, new=NewKey(**cleaned))  # type: ignore[arg-type]  # only staff get here
        vars(request)["made"] = issued
        return issued.key

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Shows the key in the response itself: a redirect would have to store the text in a session."""
        return show_key_once(request, vars(request)["made"])

    @admin.display(description=_("key"))
    def text(self, row: ApiKey) -> str:
        return f"{row.prefix}…{row.last4}"

    @admin.display(description=_("state"))
    def state(self, row: ApiKey) -> str:
        return row.state(clock.now())

    @admin.display(description=_("scopes"))
    def some_scopes(self, row: ApiKey) -> str:
        """The first scopes; the key's page lists all."""
        named, others = ", ".join(row.scopes[:_SCOPES_IN_LIST]), len(row.scopes) - _SCOPES_IN_LIST
        return gettext("%(named)s and %(number)s more") % {"named": named, "number": others} if others > 0 else named

    @admin.display(description=_("scopes"))
    def scope_list(self, row: ApiKey) -> str:
        return ", ".join(row.scopes)


def show_key_once(request: HttpRequest, issued: IssuedKey) -> HttpResponse:
    """Renders the key's text for copying. Pages of the admin are `no-store`."""
    context = {**admin.site.each_context(request), "opts": ApiKey._meta, "title": "Copy the key now", "made": issued}
    return render(request, "admin/accounts/apikey/made.html", context)
