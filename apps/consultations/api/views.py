"""Visits over the API: begin, read, save a step, sign, add, let wait, go on, give up, hand over."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.permissions import Permission
from apps.consultations import selectors, services
from apps.consultations.api import bodies, examples, shapes
from apps.consultations.api.filters import ConsultationFilter
from apps.consultations.selectors import Visit
from apps.consultations.services import NewConsultation, NewSave
from apps.rest import periods
from apps.rest.viewsets import HimsViewSet

_SHOWN = ("retrieve", "create", "step", "complete", "addenda", "hold", "resume", "cancel", "ready", "hand_over")


class ConsultationViewSet(HimsViewSet):
    """The 11-step visit. Every answer is the visit as it stands; a stale If-Match is a 412 that shows it too."""

    noun = "consultation"
    plural = "consultations"
    needs = {
        "list": Permission.CONSULTATION_VIEW,
        "retrieve": Permission.CONSULTATION_VIEW,
        "create": Permission.CONSULTATION_START,
        "step": Permission.CONSULTATION_STEP,  # the service asks for more from step 4 on
        "complete": Permission.CONSULTATION_SIGN,
        "addenda": Permission.CONSULTATION_SIGN,
        "hold": Permission.CONSULTATION_HOLD,
        "resume": Permission.CONSULTATION_HOLD,
        "cancel": Permission.CONSULTATION_HOLD,
        "ready": Permission.CONSULTATION_READY,
        "hand_over": Permission.CONSULTATION_SIGN,
    }
    queries = {"list": ConsultationFilter}
    bodies = {
        "create": bodies.StartBody,
        "step": bodies.StepBody,
        "complete": bodies.CompleteBody,
        "addenda": bodies.AddendumBody,
        "hold": bodies.ReasonBody,
        "resume": bodies.NothingBody,
        "cancel": bodies.ReasonBody,
        "ready": bodies.NothingBody,
        "hand_over": bodies.HandOverBody,
    }
    replies = {"list": shapes.ConsultationRow} | dict.fromkeys(_SHOWN, shapes.ConsultationShape)
    creates = ("create", "addenda")
    tagged = _SHOWN
    shows_current = True
    warns = dict.fromkeys(_SHOWN, ("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"))
    expands = {"patient": shapes.PATIENT, "doctor": shapes.DOCTOR}
    operation_ids = {
        "create": "startConsultation",
        "step": "updateConsultationStep",
        "addenda": "addAddendum",
        "ready": "markConsultationReady",
    }
    examples = {"create": examples.START, "retrieve": examples.STATE, "step": examples.STEP}

    def list(self, request: Request) -> Response:
        asked, window = self.asked(), self.window()
        since, until = asked.pop("date_from", None), asked.pop("date_to", None)
        periods.check(since, until)
        filters = {name: value or None for name, value in asked.items()}
        listing = selectors.listing(
            visible_to=self.by, offset=window.offset, limit=window.limit, since=since, until=until, **filters
        )
        response = self.page_of("consultations", [shapes.listed(row) for row in listing.rows], window, listing.total)
        self.note("consultation.searched", query=request.query_params.dict(), shown=self.shown)
        return response

    def retrieve(self, request: Request, pk: str) -> Response:
        """How far a visit is, and everything saved in it"""
        visit = selectors.consultation(self.by, self.id_in_path())
        self.note("consultation.read", patient_id=visit.row.patient_id, object_id=visit.row.pk)
        return self._answer(visit)

    def create(self, request: Request) -> Response:
        """Start a visit, for an appointment or for somebody who walked in"""
        return self._created(services.start(by=self.by, new=NewConsultation(**self.parse())))

    def step(self, request: Request, pk: str) -> Response:
        """Save a step; again as often as one likes"""
        save = NewSave(**self.parse())
        return self._answer(services.save_step(by=self.by, consultation_id=self.id_in_path(), save=save))

    def complete(self, request: Request, pk: str) -> Response:
        """Sign the visit: it is frozen, and stands in the chart"""
        return self._answer(services.complete(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    def addenda(self, request: Request, pk: str) -> Response:
        """Add to a signed visit"""
        return self._created(services.add(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    def hold(self, request: Request, pk: str) -> Response:
        """Let the visit wait"""
        return self._answer(services.hold(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    def resume(self, request: Request, pk: str) -> Response:
        """Go on with a visit that waited"""
        self.parse()
        return self._answer(services.resume(by=self.by, consultation_id=self.id_in_path()))

    def cancel(self, request: Request, pk: str) -> Response:
        """Give the visit up: the patient left unseen, or it was begun by mistake"""
        return self._answer(services.cancel(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    def ready(self, request: Request, pk: str) -> Response:
        """Hand the visit to its doctor, who is notified and sees it in the queue; once, 409 afterwards"""
        self.parse()
        return self._answer(services.ready(by=self.by, consultation_id=self.id_in_path()))

    def hand_over(self, request: Request, pk: str) -> Response:
        """Have another doctor go on"""
        return self._answer(services.hand_over(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    def held(self) -> tuple[dict[str, Any], object]:
        row, _ = services.held(self.by, self.id_in_path())
        return {"consultation": shapes.consultation(selectors.whole(row), self.by)}, row.version

    def _answer(self, visit: Visit) -> Response:
        shown = {"consultation": shapes.consultation(visit, self.by)}
        return self.ok(shown, version=visit.row.version, warnings=shapes.warnings(visit, self.by))

    def _created(self, visit: Visit) -> Response:
        shown = {"consultation": shapes.consultation(visit, self.by)}
        there, warnings = f"/v1/consultations/{visit.row.pk}", shapes.warnings(visit, self.by)
        return self.created(shown, location=there, version=visit.row.version, warnings=warnings)
