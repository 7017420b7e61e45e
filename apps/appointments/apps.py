"""The appointments app."""

from apps.appointments.api.descriptions import DESCRIPTIONS
from apps.common.domain import DomainConfig, Periodic
from apps.common.row_counters import RowCounter

ROW_COUNTER = RowCounter("appointments_rowcounter", counted="appointments_appointment")


class AppointmentsConfig(DomainConfig):
    name = "apps.appointments"
    floor = 6
    descriptions = DESCRIPTIONS
    api_urls = "apps.appointments.api.urls"
    row_counters = (ROW_COUNTER,)
    patient_links = ("appointments.Appointment.patient", "appointments.WaitlistEntry.patient")
    beat = {
        "advance the offers of the waitlist": Periodic("apps.appointments.tasks.keep_waitlist", every=15, expires=30),
    }
    enum_names = {
        "AppointmentSort": "apps.appointments.api.filters.SORTS",
        "ParticipantExpansion": "apps.appointments.api.serializers.responses.EXPANSIONS",
        "AppointmentStatus": "apps.appointments.models.appointments.STATUSES",
        "MoveResult": "apps.appointments.api.reschedule.MOVE_RESULTS",
        "MoveReason": "apps.appointments.api.reschedule.MOVE_REASONS",
        "AppointmentType": "apps.appointments.models.AppointmentType",
        "SeriesFrequency": "apps.appointments.api.series.FREQUENCIES",
        "TriageLevel": "apps.appointments.models.appointments.Triage",
        "WaitlistStatus": "apps.appointments.models.WaitStatus",
        "WaitlistOfferStatus": "apps.appointments.models.OfferStatus",
    }
