"""The form that registers a patient, and the panel of records that may be the same person."""

from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from apps.access.actor import Actor
from apps.common.errors import NotFound
from apps.common.ids import new_id
from apps.desk.patients.duplicates import TICKED, DuplicateCheckMixin, form_id
from apps.desk.patients.finding import FindMixin, found_patient, typed
from apps.patients import selectors, services
from apps.patients.matching.duplicates import Match
from apps.patients.matching.scoring import WARNED
from apps.patients.models import Gender, Patient
from apps.patients.rights import Permission

_ALMOST_SURE = 0.95
_FIRST = ("first_name", "last_name", "date_of_birth", "gender", "phone")  # what is asked of each patient; the rest is folded


class RegistrationMixin(FindMixin, DuplicateCheckMixin):
    """The pages that register a patient. Nothing typed is lost, and a form that is sent twice registers once."""

    add_form_template = "admin/patients/patient/register.html"

    def get_urls(self) -> list[URLPattern]:
        """Adds the panel of possible duplicates, which the script of the form requests."""
        view = self.admin_site.admin_view(self.matches_view)
        return [path("matches/", view, name="patients_patient_matches"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Shows the form; `?q=` fills it with the words of a search. A form that was sent before opens its patient."""
        if request.method == "POST" and (sent := self._registered_before(request)):
            return self.response_add(request, sent)
        return super().add_view(request, form_url, {"title": gettext("Register a patient")} | (extra_context or {}))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        person = typed(request.GET.get("q", ""))
        words = {"first_name": person.first_name, "last_name": person.last_name, "phone": person.phone}
        born = {"date_of_birth": f"{person.born:%Y-%m-%d}"} if person.born else {}
        given = {name: value for name, value in super().get_changeform_initial_data(request).items() if name != "q"}
        return words | born | given

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().render_change_form(request, context, *args, **kwargs)
        if context["original"] is None:
            form, lookalikes = context["adminform"].form, context.get("lookalikes", ())
            shown = self.registration_context(request, form, lookalikes, has_focus=not form.is_bound)
            cast("TemplateResponse", response).context_data.update(shown)  # type: ignore[union-attr]  # the page has values
        return response

    def registration_context(
        self, request: HttpRequest, form: Any, lookalikes: Any = (), *, has_focus: bool = False
    ) -> dict[str, Any]:
        """Returns what the form shows. With `has_focus` the user types on in the first empty box."""
        empty = next((name for name in _FIRST if name in form.fields and not form[name].value()), "") if has_focus else ""
        if empty:
            form.fields[empty].widget.attrs["autofocus"] = True
        more = [field for field in form.visible_fields() if field.name not in _FIRST]
        first = [form[name] for name in _FIRST if name in form.fields]
        return {
            "registration": form,
            "first_fields": first,
            "more_fields": more,
            "more_errors": any(field.errors for field in more),
            "new_id": form_id(request) or new_id(),
            "may_match": self._may_match(request),
        } | panel(lookalikes, cast("Actor", request.user))

    def matches_view(self, request: HttpRequest) -> HttpResponse:
        """Returns the panel for the values of the form so far. Nothing is saved."""
        if not (self.has_add_permission(request) and self._may_match(request)):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = self.get_form(request)(request.POST)
        form.is_valid()
        candidates: list[Match] = []
        if form.describes_person:
            person = services.described_person(services.Registration(**form.described(Gender.UNKNOWN)))
            candidates = selectors.possible_matches(visible_to=cast("Actor", request.user), person=person)
        if candidates:
            shown = [str(match.patient.pk) for match in candidates]
            self.record_access(request, "matched", shown=len(shown), patients=shown)
        return TemplateResponse(request, "desk/patients/matches.html", panel(candidates, cast("Actor", request.user)))

    def _may_match(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.has_permission(Permission.PATIENT_MATCH))

    def _registered_before(self, request: HttpRequest) -> Patient | None:
        """Returns the patient that this very form registered before, if it was sent twice."""
        sent_id = form_id(request)
        if sent_id is None or not self.has_add_permission(request):
            return None
        try:
            return selectors.patient(cast("Actor", request.user), sent_id)
        except NotFound:
            return None

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Opens the new patient's page, where booking and charting start."""
        self.message_user(request, gettext("%(patient)s is registered.") % {"patient": obj})
        return HttpResponseRedirect(reverse("admin:patients_patient_change", args=[obj.pk]))


def panel(candidates: Any, reader: Actor) -> dict[str, Any]:
    """Returns the values of the panel: the records, how likely each is the same person and why, and whether to confirm that they
    are other people."""
    lookalikes = [
        {
            "patient": found_patient(match.patient, reader),
            "likely": _likely(match),
            "percent": match.percent,
            "why": match.reasons_in_words,
        }
        for match in candidates
    ]
    ids = ",".join(str(match.patient.pk) for match in candidates)
    return {
        "panel": lookalikes,
        "panel_ids": ids,
        "needs_review": any(match.score >= WARNED for match in candidates),
        "ticked": TICKED,
    }


def _likely(match: Match) -> str:
    if match.score >= _ALMOST_SURE:
        return gettext("Almost certainly the same person")
    return gettext("Probably the same person") if match.score >= WARNED else gettext("Perhaps the same person")
