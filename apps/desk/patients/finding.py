"""Find or register: the list of patients with what the search found, the suggestions while a user types, and the form to register
a patient who is not found."""

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.views import View

from apps.access.actor import Actor
from apps.appointments import selectors as appointments
from apps.appointments.rights import Permission as Appointments
from apps.audit import services as audit
from apps.common import clinic_times, clock
from apps.desk.kit.base import ActiveFilter, HimsModelAdmin
from apps.desk.kit.pages import page_links
from apps.desk.kit.site import can_open
from apps.patients import rules, selectors
from apps.patients.chart import ages
from apps.patients.models import Patient
from apps.patients.rights import Permission
from apps.patients.search import matches
from apps.patients.search.typed_person import TypedPerson, typed_person
from apps.rest.paging import COUNTED_UP_TO

_SUGGESTED = 8
_SHORTEST = 2  # characters of a text that suggestions are shown for
_LAST_DIGITS = 4
_UNFILTERED = {"q", "p"}


@dataclass(frozen=True)
class FoundPatient:
    """A patient as lists show them."""

    row: Patient
    url: str
    name: str
    born: str
    sex: str
    mrn: str
    phone: str
    is_deceased: bool
    last_seen: str = ""
    book_url: str = ""


def found_patient(row: Patient, reader: Actor, **more: str) -> FoundPatient:
    """Returns a patient as lists show them to this reader: the last digits of the phone number are enough to compare."""
    digits = rules.digits(row.phone)
    sees_details = reader.has_permission(Permission.PATIENT_SEE_DETAILS)
    return FoundPatient(
        row=row,
        url=reverse("admin:patients_patient_change", args=[row.pk]),
        name=row.filed_name,
        born=ages.born_and_age(row),
        sex=row.get_gender_display() if sees_details else "",
        mrn=row.mrn,
        phone=f"… {digits[-_LAST_DIGITS:]}" if digits else "",
        is_deceased=sees_details and row.deceased_at is not None,
        **more,
    )


def typed(text: str) -> TypedPerson:
    """Returns the person that a search text describes, to fill the form of registration."""
    return typed_person(text, clock.today(), month_first=rules.is_month_first(settings.CLINIC_COUNTRY))


def in_words(person: TypedPerson) -> str:
    """Returns the person as the link to register shows them: `Smith, Ann, 20 Mar 1985`."""
    born = clinic_times.day(person.born) if person.born else ""
    return ", ".join(part for part in (person.last_name, person.first_name, born, person.phone) if part)


class SuggestionsView(View):
    """What the search box suggests, as options of a list. The script of the box requests it; a search without it is a page."""

    site: Any = None

    def get(self, request: HttpRequest) -> HttpResponse:
        if not can_open(request.user, Permission.PATIENT_VIEW):
            raise PermissionDenied
        by, text = cast("Actor", request.user), request.GET.get("q", "").strip()[: rules.QUERY_MAX]
        rows: list[Patient] = []
        if len(text) >= _SHORTEST:
            result = matches.search(by, text, limit=_SUGGESTED)
            rows = list(matches.best_first(selectors.patients(visible_to=by), result.seqs))
            audit.record(by=by, action="patient.searched", door="admin", query={"q": text}, shown=len(rows), suggested=True)
        suggested = [found_patient(row, by) for row in rows]
        return TemplateResponse(request, "desk/patients/suggestions.html", {"found": suggested, "text": text})


class FindMixin(HimsModelAdmin[Patient]):
    """The list of patients: the best match first. The only match is opened at once."""

    registration_context: Any  # of RegistrationMixin, which this is mixed with

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Patient], search_term: str
    ) -> tuple[QuerySet[Patient], bool]:
        text = search_term.strip()[: rules.QUERY_MAX]
        if not text:
            return queryset, False
        result = vars(request)["search_result"] = matches.search(cast("Actor", request.user), text)
        return matches.best_first(queryset, result.seqs), False

    def get_paginator(self, request: HttpRequest, queryset: QuerySet[Patient], *args: Any, **kwargs: Any) -> Any:
        """Returns the pages. Without a search, the row counter knows how many patients there are."""
        paginator: Any = super().get_paginator(request, queryset, *args, **kwargs)
        if not hasattr(request, "search_result"):
            wanted = request.GET.get(ActiveFilter.parameter_name)
            status = "" if not wanted else "active" if wanted == "active" else "inactive"
            count = selectors.patient_count(visible_to=cast("Actor", request.user), status=status)
            paginator.count = min(count, COUNTED_UP_TO + 1)
        return paginator

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Opens the patient of a complete MRN directly, for barcode scanners, and the only match of a search."""
        text = request.GET.get("q", "").strip()
        if self.has_view_permission(request) and rules.MRN_SHAPE.fullmatch(text):
            scanned = selectors.by_mrn(cast("Actor", request.user), text)
            if scanned is not None:
                return HttpResponseRedirect(reverse("admin:patients_patient_change", args=[scanned.pk]))
        title = gettext("Find or register") if self.has_add_permission(request) else gettext("Find a patient")
        response = super().changelist_view(request, {"title": title} | (extra_context or {}))
        if not isinstance(response, TemplateResponse) or not response.context_data:
            return response
        rows = list(response.context_data["cl"].result_list)
        result = getattr(request, "search_result", None)
        if result and result.total == len(rows) == 1 and not result.fuzzy and not set(request.GET) - _UNFILTERED:
            return self._open_only_match(request, rows[0], text)
        response.context_data.update(self._found(request, response.context_data["cl"], rows, text))
        return response

    def _open_only_match(self, request: HttpRequest, row: Patient, text: str) -> HttpResponse:
        """Opens the patient. The page says which search led there, and how to register another person."""
        if self.has_add_permission(request):
            register = f"{reverse('admin:patients_patient_add')}?{urlencode({'q': text})}"
            only = gettext("The only patient found for “%(text)s”.") % {"text": text}
            messages.info(request, format_html('{} <a href="{}">{}</a>', only, register, gettext("Register another person")))
        return HttpResponseRedirect(reverse("admin:patients_patient_change", args=[row.pk]))

    def _found(self, request: HttpRequest, cl: Any, rows: list[Patient], text: str) -> dict[str, Any]:
        """Returns what the template shows of a search or of the newest patients."""
        result, person = getattr(request, "search_result", None), typed(text)
        may_register = self.has_add_permission(request)
        shown: dict[str, Any] = {
            "found": self._rows(request, rows),
            "sees_sex": can_open(request.user, Permission.PATIENT_SEE_DETAILS),
            "page_links": page_links(cl),
            "text": text,
            "search_text": text,
            "fuzzy": bool(result and result.fuzzy),
            "states": [choice for spec in cl.filter_specs for choice in spec.choices(cl)],
            "register_url": f"{reverse('admin:patients_patient_add')}?{urlencode({'q': text})}" if may_register else "",
            "typed_person": in_words(person),
        }
        if may_register and text and cl.page_num == 1:
            form = self.get_form(request)(initial=self.get_changeform_initial_data(request))
            shown |= self.registration_context(request, form, has_focus=not rows)
        return shown

    def _rows(self, request: HttpRequest, rows: list[Patient]) -> list[FoundPatient]:
        by, may_book = cast("Actor", request.user), can_open(request.user, Appointments.APPOINTMENT_BOOK)
        seen: dict[UUID, Any] = {}
        if can_open(request.user, Appointments.APPOINTMENT_VIEW):
            seen = appointments.last_seen(visible_to=by, patient_ids=[row.pk for row in rows])
        book = reverse("admin:appointments_appointment_add")
        return [
            found_patient(
                row,
                by,
                last_seen=clinic_times.day(seen[row.pk]) if row.pk in seen else "",
                book_url=f"{book}?patient={row.pk}" if may_book and row.is_active and not row.deceased_at else "",
            )
            for row in rows
        ]
