"""Row actions: what a user can do with one row besides editing it (retract, deactivate, end). Each has a page that asks first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.common.errors import Forbidden, HimsError
from apps.desk.kit.forms import show_refusal
from apps.desk.kit.site import can_open
from apps.rest.permissions import ReauthenticationRequired, require_recent_login


class ReasonForm(forms.Form):
    """Asks why."""

    reason = forms.CharField(
        max_length=400, widget=forms.Textarea(attrs={"rows": 3}), help_text="Stored with the record. Cannot be changed later."
    )


@dataclass(frozen=True, kw_only=True)
class RowAction:
    """An action. `run(by, row, answers)` calls one service and returns what `result_page` shows, if anything."""

    name: str
    label: str | Promise
    permission: Permission
    run: Callable[[Actor, Any, Mapping[str, Any]], Any]
    question: str | Promise
    done: str | Promise
    form: type[forms.Form] = forms.Form
    available: Callable[[Any, Any], bool] = lambda row, user: True  # noqa: ARG005
    submit: str | Promise = ""  # the words of the button, if not those of the label
    template: str = "admin/row_action.html"  # extends that template
    destructive: bool = False
    recent_login: bool = False  # the password must have been given within five minutes; the page asks for it first
    result_page: Callable[[HttpRequest, Any, Any], HttpResponse] | None = None  # shows the result of `run`, once


class RowActionsMixin:
    """Adds a page for each row action to a model's admin, and links to the available ones."""

    row_actions: Sequence[RowAction] = ()

    # Of the model admin that this is mixed into.
    admin_site: Any
    opts: Any
    record_access: Any
    page_context: Any

    def row_name(self, row: Any) -> str:
        """Returns what pages call the row: their title, unless they have one of their own, and the links above it."""
        return str(row)

    def row_action_urls(self) -> list[URLPattern]:
        """Returns the routes: one page for each action, below the row's own page."""
        wrap = self.admin_site.admin_view
        return [
            path(
                f"<path:object_id>/{action.name}/",
                wrap(partial(self.row_action_view, action=action)),
                name=self.row_action_url_name(action),
            )
            for action in self.row_actions
        ]

    def row_action_url_name(self, action: RowAction) -> str:
        opts = self.opts
        return f"{opts.app_label}_{opts.model_name}_{action.name.replace('-', '_')}"

    def available_row_actions(self, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
        """Returns the actions that this user may run on this row now."""
        fitting = [
            action
            for action in self.row_actions
            if can_open(request.user, action.permission) and action.available(row, request.user)
        ]
        return [
            {
                "name": action.name,
                "label": action.label,
                "destructive": action.destructive,
                "url": reverse(f"admin:{self.row_action_url_name(action)}", args=[quote(row.pk)]),
            }
            for action in fitting
        ]

    def row_action_view(self, request: HttpRequest, object_id: str, action: RowAction) -> HttpResponse:
        """Asks, then runs the action. The page shows a refusal and keeps the answers."""
        row = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]  # of the model admin
        if row is None:
            raise Http404
        if not can_open(request.user, action.permission) or (
            request.method != "POST" and not action.available(row, request.user)
        ):
            raise PermissionDenied
        if action.recent_login:
            require_recent_login(request.user)
        form = self.row_action_form(request, row, action)
        if request.method == "POST" and form.is_valid():
            try:
                result = action.run(request.user, row, form.cleaned_data)  # type: ignore[arg-type]  # only staff get here
            except (Forbidden, ReauthenticationRequired):
                raise
            except HimsError as refusal:
                show_refusal(form, refusal)
            else:
                if action.result_page is not None:
                    return action.result_page(request, row, result)
                messages.success(request, str(action.done))
                return HttpResponseRedirect(next_page(request) or self.after_row_action(row))
        self.record_access(request, "read", row)
        return self._ask(request, row, action, form)

    def row_action_form(self, request: HttpRequest, row: Any, action: RowAction) -> forms.Form:
        """Returns the form of the page. A page whose form depends on the row overrides this."""
        return action.form(request.POST) if request.method == "POST" else action.form(initial=request.GET.dict())

    def row_action_context(self, request: HttpRequest, row: Any, action: RowAction, form: forms.Form) -> dict[str, Any]:
        """Returns additional values for the page of an action. A page with a template of its own overrides this."""
        return {}

    def after_row_action(self, row: Any) -> str:
        """Returns the address of the page after the action: the row's own."""
        opts = self.opts
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[quote(row.pk)])

    def _ask(self, request: HttpRequest, row: Any, action: RowAction, form: forms.Form) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "subtitle": self.row_name(row),
            "row_title": self.row_name(row),
            **self.page_context(request, row),
            "title": action.label,
            "original": row,
            "row_action": action,
            "form": form,
            "errors": form.errors,
            "back": next_page(request) or self.after_row_action(row),
        }
        context |= self.row_action_context(request, row, action, form)
        return TemplateResponse(request, action.template, context)


def next_page(request: HttpRequest) -> str:
    """Returns the page of the desk that the user came from, if the address names it as `next`; empty without one."""
    page = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(page, allowed_hosts=None, require_https=request.is_secure())
    return page if is_ours and page.startswith("/admin/") else ""
