"""The API of the waitlist: entries, offers, and accepting or declining one."""

from dataclasses import replace
from typing import Any

from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.appointments import events, selectors, services
from apps.appointments.api import examples
from apps.appointments.api.serializers import responses
from apps.appointments.api.serializers.requests import AnswerBody, WaitBody
from apps.appointments.models import AppointmentType, OfferStatus, WaitlistEntry, WaitPriority, WaitStatus
from apps.appointments.rights import Permission
from apps.appointments.services import NewWaitlistEntry
from apps.appointments.waitlist.services.entries import lock_entry
from apps.patients import events as patient_events
from apps.patients import selectors as patients
from apps.patients.api.serializers.responses import ColleagueShape, PatientRow
from apps.patients.lists.patient_queries import listed_patient, surviving_id
from apps.rest import paging
from apps.rest.endpoint import Example, endpoint
from apps.rest.filters import ChoicesFilter, IdFilter
from apps.rest.response_serializers import ResponseSerializer, protected
from apps.rest.viewsets import HimsViewSet


class WaitlistFilter(FilterSet):
    status = ChoicesFilter(choices=WaitStatus.choices, help_text="By default entries that are waiting")
    doctor_id = IdFilter(help_text="Entries that name this doctor")
    patient_id = IdFilter(help_text="Entries of this patient; the id of a merged record finds the survivor's")
    priority = ChoiceFilter(choices=WaitPriority.choices, help_text="Entries of this priority")

    class Meta:
        model = WaitlistEntry
        fields: list[str] = []


class WaitlistOfferShape(ResponseSerializer):
    """A freed time that was offered. It isn't reserved; the first to accept gets it."""

    id = serializers.UUIDField()
    doctor_id = serializers.UUIDField()
    room_id = serializers.UUIDField(allow_null=True)
    scheduled_time = serializers.DateTimeField()
    duration_minutes = serializers.IntegerField()
    rank = serializers.IntegerField(help_text="The rank among the patients who got the offer, from 1")
    status = serializers.ChoiceField(choices=OfferStatus.choices)
    offered_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)


class WaitlistEntryShape(ResponseSerializer):
    """A patient who wants an earlier appointment."""

    reads = Permission.WAITLIST_VIEW
    expandable = ("patient", "doctor")

    id = serializers.UUIDField()
    patient_id = serializers.UUIDField()
    doctor_id = serializers.UUIDField(allow_null=True, help_text="null: any doctor")
    appointment_type = serializers.ChoiceField(choices=AppointmentType.choices)
    duration_minutes = serializers.IntegerField(allow_null=True, help_text="null: the doctor's usual length")
    date_from = serializers.DateField()
    date_to = serializers.DateField()
    time_from = serializers.RegexField(r"^\d\d:\d\d$", allow_null=True)
    time_to = serializers.RegexField(r"^\d\d:\d\d$", allow_null=True)
    priority = serializers.ChoiceField(choices=WaitPriority.choices)
    note = protected(
        serializers.CharField(required=False, allow_blank=True, help_text="Hidden from managers"),
        permission=Permission.APPOINTMENT_SEE_NOTES,
    )
    status = serializers.ChoiceField(choices=WaitStatus.choices)
    appointment_id = serializers.UUIDField(allow_null=True, help_text="The appointment of a booked entry")
    offers = WaitlistOfferShape(many=True, help_text="The latest first")
    created_at = serializers.DateTimeField()
    patient = PatientRow(required=False, allow_null=True, help_text="With `expand=patient`")
    doctor = ColleagueShape(required=False, allow_null=True, help_text="With `expand=doctor`")

    @staticmethod
    def get_time_from(entry: WaitlistEntry) -> str | None:
        return f"{entry.time_from:%H:%M}" if entry.time_from else None

    @staticmethod
    def get_time_to(entry: WaitlistEntry) -> str | None:
        return f"{entry.time_to:%H:%M}" if entry.time_to else None


class AcceptedShape(ResponseSerializer):
    """The booked appointment, and the entry, which is booked too."""

    appointment = responses.AppointmentShape()
    waitlist_entry = WaitlistEntryShape()


_ID, _VISIT = "01a20660-d5a1-7c39-9c11-7b2a4c5d6e7f", (examples.BOOK.reply or {})["data"]["appointment"]
_ENTRY = {
    "id": _ID,
    "patient_id": _VISIT["patient_id"],
    "doctor_id": _VISIT["doctor_id"],
    "appointment_type": "consultation",
    "duration_minutes": 15,
    "date_from": "2025-01-13",
    "date_to": "2025-01-24",
    "time_from": "09:00",
    "time_to": "12:00",
    "priority": "high",
    "note": "Can be here within an hour",
    "status": "waiting",
    "appointment_id": None,
    "offers": [],
    "created_at": "2025-01-10T08:00:00Z",
}
_OFFER = {
    "id": "01a20660-d7b2-7d4a-8e22-8c3b5d6e7f80",
    "doctor_id": _VISIT["doctor_id"],
    "room_id": None,
    "scheduled_time": _VISIT["scheduled_time"],
    "duration_minutes": 15,
    "rank": 1,
    "status": "open",
    "offered_at": "2025-01-14T17:00:00Z",
    "expires_at": "2025-01-14T17:30:00Z",
    "settled_at": None,
}
_TAKEN = {**_OFFER, "status": "accepted", "settled_at": "2025-01-14T17:05:00Z"}
_PUT = Example(
    request=examples.WAIT,
    reply={"success": True, "data": {"waitlist_entry": _ENTRY}},
)
_LIST = Example(
    reply={
        "success": True,
        "data": {
            "waitlist": [{**_ENTRY, "offers": [_OFFER]}],
            "pagination": {"page": 1, "limit": 20, "total": 1, "pages": 1},
        },
    }
)
_ACCEPT = Example(
    request={},
    reply={
        "success": True,
        "data": {
            "appointment": _VISIT,
            "waitlist_entry": {**_ENTRY, "status": "booked", "appointment_id": _VISIT["id"], "offers": [_TAKEN]},
        },
    },
)


class WaitlistViewSet(HimsViewSet):
    """Patients who want an earlier appointment. A freed time is offered to the first who fit; the first to accept is booked."""

    resource = "waitlist_entry"
    plural = "waitlist"
    tag = "Waitlist"
    expands = responses.EXPANSIONS

    @endpoint(
        permission=Permission.WAITLIST_VIEW,
        query=WaitlistFilter,
        response=WaitlistEntryShape,
        operation_id="listWaitlist",
        example=_LIST,
    )
    def list(self, request: Request) -> Response:
        """List the waitlist

        Returns the patients who wait for an earlier appointment, the most urgent first, then the longest wait. With another
        `status` it returns the entries that ended that way, the newest first. Each entry has its offers, the latest first. The
        audit log records the patients shown.
        """
        query = self.validated_query()
        rows = selectors.waitlist(visible_to=self.by, statuses=query.get("status") or [WaitStatus.WAITING.value])
        if query.get("doctor_id"):
            rows = rows.filter(doctor=query["doctor_id"])
        if query.get("patient_id"):
            rows = rows.filter(patient=surviving_id(query["patient_id"]))
        if query.get("priority"):
            rows = rows.filter(priority=query["priority"])
        page = paging.page_of(rows, self.window, paging.capped)
        response = self.page(replace(page, rows=selectors.with_offers(page.rows)))
        patient_id = listed_patient(query.get("patient_id"), (row.patient_id for row in page.rows))
        self.record_access("waitlist.searched", patient_id=patient_id, query=self.sent_query(), shown=self.shown)
        return response

    @endpoint(permission=Permission.WAITLIST_VIEW, response=WaitlistEntryShape, etag=True)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a waitlist entry

        Returns the entry with all its offers, the latest first. An entry of a chart that is closed to the caller gets a 404.
        """
        entry = selectors.waitlist_entry(self.by, self.id_in_path())
        self.record_access("waitlist.read", patient_id=entry.patient_id, object_id=entry.pk)
        return self._respond(entry)

    @endpoint(
        permission=Permission.WAITLIST_KEEP,
        request=WaitBody,
        response=WaitlistEntryShape,
        etag=True,
        operation_id="addToWaitlist",
        example=_PUT,
        refusals=(services.OtherDoctorsSchedule, services.AlreadyWaiting, services.PatientNotActive, patients.RecordMerged),
        events=(events.WaitlistEntryAdded,),
    )
    def create(self, request: Request) -> Response:
        """Add a patient to the waitlist

        Records that the patient would come sooner: with which doctor (or any), on which days, at which times of day and for
        how long. When a fitting time becomes free, it is offered to the first entries that fit. Doctors add patients to their
        own list or to that for any doctor. One patient waits only once for the same doctor and type; the refusal names the
        existing entry.
        """
        entry = services.add_to_waitlist(by=self.by, new=NewWaitlistEntry(**self.parse()))
        return self._respond(entry, location=f"/v1/waitlist/{entry.pk}")

    @endpoint(
        permission=Permission.WAITLIST_KEEP,
        response=WaitlistEntryShape,
        etag=True,
        operation_id="withdrawFromWaitlist",
        refusals=(services.NotWaiting,),
        events=(events.WaitlistEntryWithdrawn, events.WaitlistOfferSettled),
    )
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a patient from the waitlist

        Ends the wait; the entry stays and can be read. An open offer is withdrawn, and the next patient gets it. An entry that
        is booked, expired or already withdrawn is refused.
        """
        return self._respond(services.withdraw_from_waitlist(by=self.by, entry_id=self.id_in_path()))

    @endpoint(
        permission=Permission.WAITLIST_KEEP,
        request=AnswerBody,
        response=WaitlistEntryShape,
        operation_id="declineWaitlistOffer",
        refusals=(services.NothingOffered, services.OfferLost, services.OfferExpired, services.OfferClosed),
        events=(events.WaitlistOfferSettled,),
        example=examples.DECLINE,
    )
    def decline(self, request: Request, pk: str) -> Response:
        """Decline an offered time

        Declines the offer; the patient goes on waiting, and the time is offered to the next. Without `offer_id` it is the open
        offer of the entry. An offer that another patient was booked for, or that has expired, cannot be declined.
        """
        cleaned = self.parse()
        entry = services.decline_offer(by=self.by, entry_id=self.id_in_path(), offer_id=cleaned.get("offer_id"))
        return self.reply(*selectors.with_offers([entry]))

    def get_for_update(self) -> tuple[dict[str, Any], object]:
        entry = lock_entry(self.by, self.id_in_path())
        return self.represent(*selectors.with_offers([entry])), entry.updated_at

    def _respond(self, entry: WaitlistEntry, *, location: str = "") -> Response:
        return self.reply(*selectors.with_offers([entry]), version=entry.updated_at, location=location)


class AcceptViewSet(HimsViewSet):
    """Accepting an offer books the appointment. A late acceptance gets 409 with the issue `offer_lost` or `offer_expired`."""

    resource = "waitlist_entry"
    data_key = ""
    tag = "Waitlist"

    @endpoint(
        permission=Permission.WAITLIST_KEEP,
        request=AnswerBody,
        response=AcceptedShape,
        operation_id="acceptWaitlistOffer",
        example=_ACCEPT,
        refusals=(
            services.NothingOffered,
            services.OfferLost,
            services.OfferExpired,
            services.OfferClosed,
            services.NotWaiting,
            services.SlotTaken,
            services.PatientNotActive,
        ),
        events=(events.AppointmentBooked, events.WaitlistOfferSettled, patient_events.CareTeamJoined),
    )
    def accept(self, request: Request, pk: str) -> Response:
        """Accept an offered time

        Books the offered time for the patient and ends the wait. An offer reserves nothing: the first patient who accepts is
        booked, and the other offers of that time are lost. Without `offer_id` it is the open offer of the entry. A refused
        offer is closed, so that it does not stay open without leading anywhere.
        """
        cleaned = self.parse()
        done = services.accept_offer(by=self.by, entry_id=self.id_in_path(), offer_id=cleaned.get("offer_id"))
        (entry,) = selectors.with_offers([done.entry])
        return self.reply({"appointment": done.booked.appointment, "waitlist_entry": entry})
