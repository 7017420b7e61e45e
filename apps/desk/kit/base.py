"""The base class of all admin pages of a model."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError, models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.functional import Promise, cached_property
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.common import clock
from apps.common.errors import Forbidden, HimsError
from apps.common.models import M
from apps.desk.kit.forms import AlreadySaved, ServiceForm, Stale, version_of
from apps.desk.kit.links import ReaderForm
from apps.desk.kit.row_actions import RowActionsMixin
from apps.desk.kit.site import can_open
from apps.desk.templatetags.desk import icon
from apps.rest import audit_log
from apps.rest.paging import COUNTED_UP_TO
from apps.rest.permissions import ReauthenticationRequired, require_recent_login

_HISTORY = timedelta(days=365)
_HISTORY_ROWS = 200


class CappedPaginator(Paginator[M]):
    """Counts at most 10,000 rows: nearly all users stay within the first pages, and the count is most of the cost of a list."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        return rows.order_by()[: COUNTED_UP_TO + 1].count() if isinstance(rows, QuerySet) else len(rows)


class ActiveFilter(admin.SimpleListFilter):
    """Active or inactive, in the words of the API."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("active", _("Active")), ("inactive", _("Inactive"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(is_active=self.value() == "active") if self.value() else queryset


class HimsModelAdmin(RowActionsMixin, admin.ModelAdmin[M]):
    """Closed by default: an action that `needs` does not name is refused. No name allows deletion.

    A page that adds or changes rows overrides `add` and `amend`, each with one service call.
    """

    resource: ClassVar[str] = ""
    title: ClassVar[str | Promise] = ""  # of the list, if the model's plural does not fit
    add_label: ClassVar[str | Promise] = (
        ""  # verb and object: the button of the list that leads to the form, and the form's title
    )
    list_audit_action: ClassVar[str] = "searched"  # the audit action of opening the list
    needs: ClassVar[Mapping[str, Permission]] = {}
    recent_login: ClassVar[
        Collection[str]
    ] = ()  # "add": the password must have been given within five minutes; it is asked for first

    form: Any = ServiceForm
    actions: Any = ()
    list_per_page = 50
    list_max_show_all = 50
    empty_value_display = ""
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by: ClassVar[Any] = ()
    view_on_site = False
    paginator = CappedPaginator
    list_parameters: ClassVar[Collection[str]] = ()  # parameters of the list's address, in addition to those of its filters

    def add(self, request: HttpRequest, form: Any) -> models.Model:
        """Creates the row that the form describes, and returns it."""
        raise PermissionDenied

    def amend(self, request: HttpRequest, row: Any, changes: dict[str, Any]) -> None:
        """Applies the changes to the row."""
        raise PermissionDenied

    def patient_of(self, row: Any) -> UUID | None:
        """Returns the patient that the row belongs to, for the audit log."""
        return None

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Returns additional values for the templates of a row's pages."""
        return {}

    @admin.display(description=_("status"))
    def active(self, row: Any) -> str:
        """The column of models with `is_active`."""
        if row.is_active:
            return format_html('<span class="tag go">{}{}</span>', icon("check"), gettext("Active"))
        return format_html('<span class="tag warn">{}{}</span>', icon("pause"), gettext("Inactive"))

    # Permissions

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return can_open(request.user, self.needs.get("view"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return can_open(request.user, self.needs.get("add"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return can_open(request.user, self.needs.get("change"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows: QuerySet[M] = cast("Any", self.model._default_manager).visible_to(request.user)
        return rows.order_by(*self.get_ordering(request)) if self.get_ordering(request) else rows

    # Pages

    def get_urls(self) -> list[URLPattern]:
        """Returns Django's pages, without the one that deletes."""
        stock = [url for url in super().get_urls() if url.name and not url.name.endswith("_delete")]
        return [*self.row_action_urls(), *stock]

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        raise Http404

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allows the parameters of the list's filters and `list_parameters`; the list refuses others with 400.

        Django filters a list by any column of its model. A user who may list rows could then find out, query by query, the values
        of columns that their role does not show (`?notes__contains=`).
        """
        allowed = set(self.list_parameters)
        for one in self.get_list_filter(cast("HttpRequest", request)):
            if isinstance(one, str):
                allowed |= {one, f"{one}__exact", f"{one}__isnull"}
            elif isinstance(one, type) and issubclass(one, admin.SimpleListFilter):
                allowed.add(str(one.parameter_name))
        return lookup in allowed

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = self.title or str(self.opts.verbose_name_plural).capitalize()
        response = super().changelist_view(request, {"title": title, "add_label": self.add_label} | (extra_context or {}))
        if isinstance(response, TemplateResponse) and response.context_data:
            self.record_list_access(request, len(response.context_data["cl"].result_list))
        return response

    def record_list_access(self, request: HttpRequest, shown: int) -> None:
        """Audits that the user opened a list."""
        self.record_access(request, self.list_audit_action, query=request.GET.dict(), shown=shown)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Shows the form. If a service refuses, everything is rolled back, and the form shows the refusal and the values that
        were sent."""
        if object_id is None and "add" in self.recent_login and self.has_add_permission(request):
            require_recent_login(request.user)
        if object_id is None and self.add_label:
            extra_context = {"title": self.add_label} | (extra_context or {})
        try:
            response = super().changeform_view(request, object_id, form_url, extra_context)
        except (Forbidden, ReauthenticationRequired):
            raise
        except HimsError as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]  # the page carries it on the request
            response = super().changeform_view(request, object_id, form_url, extra_context)
        if isinstance(response, TemplateResponse):
            self._show(request, response, is_titled="title" in (extra_context or {}))
        return response

    def _show(self, request: HttpRequest, response: TemplateResponse, *, is_titled: bool) -> None:
        """Adds the template's values to a form that is shown, and audits the view."""
        context: dict[str, Any] = response.context_data or {}
        row = context["original"]
        if row is not None:
            context["row_title"] = self.row_name(row)
            if not is_titled:
                context.update(title=context["row_title"], subtitle=None)
        context.update(self.page_context(request, row))
        if row is not None:
            self.record_access(request, "read", row)
            context.update(
                row_actions=self.available_row_actions(request, row),
                may_see_history=can_open(request.user, audit_log.get().view_permission),
            )

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        context |= {
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            "adminform": ReaderForm(context["adminform"], request),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form

    # Writing

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Writes through the service, inside the page's transaction. Raises what the service raises."""
        try:
            if change:
                self._refuse_stale(obj, form)
                if changes := form.changes():
                    self.amend(request, obj, changes)
            else:
                obj.pk = self.add(request, form).pk
        except IntegrityError as clash:
            raise AlreadySaved from clash
        obj.refresh_from_db()

    def _refuse_stale(self, row: Any, form: Any) -> None:
        """Locks the row, so that the second of two simultaneous saves is refused. Raises Stale."""
        current = self.model._default_manager.select_for_update().get(pk=row.pk)
        if version_of(current) != form.cleaned_data["version"]:
            raise Stale

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Does nothing: the audit log has the change."""

    log_change = log_addition

    # The audit log

    def record_access(
        self, request: HttpRequest, action: str, row: Any = None, *, patient_id: UUID | None = None, **detail: Any
    ) -> None:
        """Audits what the page shows."""
        patient_id = patient_id or (self.patient_of(row) if row is not None else None)
        object_id = row.pk if row is not None else None
        person = cast("Actor", request.user)
        audit_log.record(
            by=person, action=f"{self.resource}.{action}", patient_id=patient_id, object_id=object_id, door="admin", **detail
        )

    def record_form_access(self, request: HttpRequest, response: HttpResponse, patient_id: UUID) -> None:
        """Audits a form that has a patient above it, whether it is shown for the first time or with a refusal."""
        if isinstance(response, TemplateResponse):
            self.record_access(request, "asked_for", patient_id=patient_id)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Shows the row's audit entries of a year to users who may read the audit log. The view is audited too."""
        if not can_open(request.user, audit_log.get().view_permission):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        self.record_access(request, "history_read", row)
        context = {
            **self.admin_site.each_context(request),
            "subtitle": self.row_name(row),
            "row_title": self.row_name(row),
            **self.page_context(request, row),
            "title": "Who looked at and changed this",
            "object": row,
            "opts": self.opts,
            "audit_log": audit_log.get().history(row.pk, since=clock.now() - _HISTORY, limit=_HISTORY_ROWS),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/object_history.html", context)
