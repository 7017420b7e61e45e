"""Acts: what can be done with one row beside editing it (retract, deactivate, end). Each has a page that asks first."""

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

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.common.errors import Forbidden, HimsError
from apps.rest.admin.forms import tell
from apps.rest.admin_site import holds
from apps.rest.permissions import ReauthenticationRequired, refuse_without_fresh_proof


class ReasonForm(forms.Form):
    """Asks why."""

    reason = forms.CharField(
        max_length=400, widget=forms.Textarea(attrs={"rows": 3}), help_text="Is kept with the record and cannot be changed."
    )


@dataclass(frozen=True, kw_only=True)
class Act:
    """`run(by, row, answers)` calls one service; what it returns, if anything, is told to the person."""

    name: str
    label: str
    need: Permission
    run: Callable[[Actor, Any, Mapping[str, Any]], Any]
    question: str
    done: str
    form: type[forms.Form] = forms.Form
    offered: Callable[[Any, Any], bool] = lambda row, user: True  # noqa: ARG005
    grave: bool = False
    step_up: bool = False  # the password must have been given within five minutes; the page asks for it first
    shows: Callable[[HttpRequest, Any, Any], HttpResponse] | None = None  # the page that shows what `run` answered, this once


class ActsMixin:
    """Adds a page for each act to a model's admin, and links to those offered."""

    acts: Sequence[Act] = ()

    def act_urls(self) -> list[URLPattern]:
        """One page an act, below the row's own."""
        wrap = self.admin_site.admin_view  # type: ignore[attr-defined]
        return [
            path(f"<path:object_id>/{act.name}/", wrap(partial(self.act_view, act=act)), name=self.act_url_name(act))
            for act in self.acts
        ]

    def act_url_name(self, act: Act) -> str:
        opts = self.opts  # type: ignore[attr-defined]
        return f"{opts.app_label}_{opts.model_name}_{act.name.replace('-', '_')}"

    def offered_acts(self, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
        """What this person may do with this row now."""
        fitting = [act for act in self.acts if holds(request.user, act.need) and act.offered(row, request.user)]
        return [
            {"label": act.label, "grave": act.grave, "url": reverse(f"admin:{self.act_url_name(act)}", args=[quote(row.pk)])}
            for act in fitting
        ]

    def act_view(self, request: HttpRequest, object_id: str, act: Act) -> HttpResponse:
        """Ask, then do it. A refusal is shown on the page, with the answers kept."""
        row = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if row is None:
            raise Http404
        if not holds(request.user, act.need) or (request.method != "POST" and not act.offered(row, request.user)):
            raise PermissionDenied
        if act.step_up:
            refuse_without_fresh_proof(request.user)
        form = self.act_form(request, row, act)
        if request.method == "POST" and form.is_valid():
            try:
                answer = act.run(request.user, row, form.cleaned_data)  # type: ignore[arg-type]
            except (Forbidden, ReauthenticationRequired):
                raise
            except HimsError as refusal:
                tell(form, refusal)
            else:
                if act.shows is not None:
                    return act.shows(request, row, answer)
                messages.success(request, act.done)
                return HttpResponseRedirect(self.after_act(row))
        self.note(request, "read", row)  # type: ignore[attr-defined]
        return self._ask(request, row, act, form)

    def act_form(self, request: HttpRequest, row: Any, act: Act) -> forms.Form:
        """What the page asks. Where that depends on the row, a page overrides this."""
        return act.form(request.POST) if request.method == "POST" else act.form(initial=request.GET.dict())

    def after_act(self, row: Any) -> str:
        """Where one is taken when it is done: back to the row."""
        opts = self.opts  # type: ignore[attr-defined]
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[quote(row.pk)])

    def _ask(self, request: HttpRequest, row: Any, act: Act, form: forms.Form) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": act.label,
            "subtitle": str(row),
            **self.page_context(request, row),  # type: ignore[attr-defined]
            "original": row,
            "act": act,
            "form": form,
            "errors": form.errors,
            "back": self.after_act(row),
        }
        return TemplateResponse(request, "admin/act.html", context)
