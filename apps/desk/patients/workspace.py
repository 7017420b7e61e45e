"""The pages of one patient: a tab each, below the patient's own address, all under one banner.

A tab opens under the rules of the patient's page: the record that a merged one became, the page for emergency access to a
restricted chart, 404 for all other users. Each view is in the audit log.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from apps.desk.kit.base import HimsModelAdmin
from apps.desk.patients import appointments_tab, summary, tabs, trends, visits_tab
from apps.patients.chart import banner
from apps.patients.models import Patient
from apps.rest import audit_log, sample_ids

Content = Callable[[HttpRequest, Patient, dict[str, Any]], dict[str, Any]]


class WorkspaceMixin(HimsModelAdmin[Patient]):
    """The part of the patient's page that makes it a workspace of tabs. Mixed in before the rules for restricted and merged
    records, whose `change_view` the form of the details uses."""

    _survivor: Any  # of the rules for merged records
    queued_lookalikes: Any  # of the rules for duplicates

    def get_urls(self) -> list[URLPattern]:
        wrap, at = self.admin_site.admin_view, "<path:object_id>/"
        return [
            path(f"{at}summary/", wrap(self.summary_view), name="patients_patient_summary"),
            path(f"{at}visits/", wrap(self.visits_view), name="patients_patient_visits"),
            path(f"{at}appointments/", wrap(self.appointments_view), name="patients_patient_appointments"),
            path(f"{at}details/", wrap(self.details_view), name="patients_patient_details"),
            path(f"{at}trends/<slug:slug>/", wrap(self.trend_view), name="patients_patient_trend"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Shows the first tab of the role. The form of the details is saved here too."""
        if request.method == "GET" and tabs.lands_on_summary(request.user):
            return self.summary_view(request, object_id)
        return super().change_view(request, object_id, form_url, _title() | (extra_context or {}))

    def details_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows and saves the form."""
        return super().change_view(request, object_id, extra_context=_title())

    def response_change(self, request: HttpRequest, obj: Patient) -> HttpResponse:
        """Stays on the details of the patient after saving."""
        messages.success(request, gettext("The details are saved."))
        return HttpResponseRedirect(tabs.carried(request, tabs.address(request.user, obj.pk, tabs.DETAILS)))

    def summary_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows the summary. It is a view of the record and of the chart, and audited as both."""

        def content(request: HttpRequest, row: Patient, head: dict[str, Any]) -> dict[str, Any]:
            lookalikes = self.queued_lookalikes(request, row)
            self.record_access(request, "read", row)
            self._record_view(request, row, "chart.read", tab=tabs.SUMMARY)
            return {"lookalike_rows": lookalikes, **summary.content(request, row, head["open_appointments"])}

        return self._tab(request, object_id, tabs.SUMMARY, content)

    def visits_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows the patient's visits, one of them in full. It is a view of the list and of that visit, and audited as both."""

        def content(request: HttpRequest, row: Patient, _head: dict[str, Any]) -> dict[str, Any]:
            shown = visits_tab.content(request, row)
            self._record_view(request, row, "consultation.listed", shown=len(shown["rows"]))
            if shown["chosen"]:  # its whole note is at the side of the list
                self._record_view(request, row, "consultation.read", object_id=shown["chosen"]["id"])
            return shown

        return self._tab(request, object_id, tabs.VISITS, content)

    def appointments_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows the patient's appointments."""

        def content(request: HttpRequest, row: Patient, _head: dict[str, Any]) -> dict[str, Any]:
            shown = appointments_tab.content(request, row)
            self._record_view(request, row, "appointment.listed", shown=len(shown["rows"]))
            return shown

        return self._tab(request, object_id, tabs.APPOINTMENTS, content)

    def trend_view(self, request: HttpRequest, object_id: str, slug: str) -> HttpResponse:
        """Shows one vital sign over time."""
        trend = trends.TRENDS.get(slug)
        if trend is None:
            raise Http404
        if not trends.may_read(request.user):
            request.about_patient = sample_ids.resolve(object_id)  # type: ignore[attr-defined]  # the page carries it on the request
            raise PermissionDenied

        def content(request: HttpRequest, row: Patient, _head: dict[str, Any]) -> dict[str, Any]:
            self._record_view(request, row, "chart.read", query={"type": "vital_sign", "names": [*trend.names]})
            return trends.page(request, row, trend)

        return self._tab(request, object_id, tabs.SUMMARY, content, title=str(trend.title), template="trend")

    def workspace(self, request: HttpRequest, row: Patient, current: str) -> dict[str, Any]:
        """Returns the values for the head of the patient's pages: banner, tabs and ways on."""
        shown = banner.of(row, request.user)  # type: ignore[arg-type]  # only staff get here
        return {"banner": shown, "subtitle": shown.title, **tabs.context(request, row, current)}

    def _tab(
        self, request: HttpRequest, object_id: str, name: str, content: Content, *, title: str = "", template: str = ""
    ) -> HttpResponse:
        """Shows a tab. `title` and `template` are those of a page below it."""
        request.about_patient = sample_ids.resolve(object_id)  # type: ignore[attr-defined]  # the page carries it on the request
        if not self.has_view_permission(request) or not tabs.may_open(request.user, name):
            raise PermissionDenied
        if survivor := self._survivor(request, object_id):
            messages.info(request, "The record you asked for was merged into this one.")
            return HttpResponseRedirect(reverse("admin:patients_patient_change", args=[survivor.pk]))
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        head = self.workspace(request, row, name)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title or tabs.label(name),
            "is_tab": True,
            "original": row,
            **head,
        }
        return TemplateResponse(request, f"desk/patients/{template or name}.html", context | content(request, row, head))

    def _record_view(self, request: HttpRequest, row: Patient, action: str, **detail: Any) -> None:
        """Audits a view under the action of what it shows."""
        audit_log.record(by=request.user, action=action, patient_id=row.pk, door="admin", **detail)  # type: ignore[arg-type]  # only staff get here


def _title() -> dict[str, str]:
    return {"title": tabs.label(tabs.DETAILS)}
