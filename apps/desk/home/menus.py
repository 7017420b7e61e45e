"""The menu of each role, in the words of the work. What a part brings is added here when the part is built."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.access.roles import Role
from apps.accounts.rights import Permission as Accounts
from apps.appointments.queue import board
from apps.appointments.rights import Permission as Appointments
from apps.audit.rights import Permission as Audit
from apps.consultations.queries import worklists
from apps.consultations.rights import Permission as Consultations
from apps.desk.appointments.waitlist import with_an_open_offer
from apps.desk.events import jobs
from apps.desk.kit.navigation import HOME, Entry, Group, Menu
from apps.desk.kit.role_names import ROLE_NAMES
from apps.notifications.rights import Permission as Notifications
from apps.patients import selectors as patients
from apps.patients.confidentiality import emergency_access
from apps.patients.rights import Permission as Patients
from apps.prescriptions.rights import Permission as Medicines
from apps.terminology.rights import Permission as Terminology

SCHEDULE = Entry(_("Schedule"), "calendar", "admin:schedule", Appointments.QUEUE_VIEW)
QUEUE = Entry(_("Queue"), "queue", "admin:queue", Appointments.QUEUE_VIEW, board.count_waiting)
_PATIENTS = "admin:patients_patient_changelist"
_RECORD = ("admin:patients_chartentry_changelist",)  # a tab of the patient's pages
FIND = Entry(_("Find a patient"), "search", _PATIENTS, Patients.PATIENT_VIEW, also=_RECORD)
FIND_OR_REGISTER = Entry(_("Find or register"), "user-plus", _PATIENTS, Patients.PATIENT_REGISTER, also=_RECORD)
HOURS = Entry(_("Doctors’ hours"), "clock", "admin:appointments_doctorschedule_changelist", Appointments.SCHEDULE_KEEP)
COVER = Entry(
    _("Cover for absence"),
    "leave",
    "admin:appointments_bulkreschedule_changelist",
    Appointments.SCHEDULE_KEEP,
    also=("admin:appointments_timeoff_changelist",),
)
ROOMS = Entry(_("Rooms"), "room", "admin:appointments_room_changelist", Appointments.ROOM_VIEW)
CODES = Entry(_("Diagnosis codes"), "clipboard", "admin:terminology_icdcode_changelist", Terminology.TERMINOLOGY_READ)
DRUGS = Entry(_("Medicines"), "pill", "admin:prescriptions_drug_changelist", Medicines.DRUG_VIEW)
RULES = Entry(_("Safety rules"), "shield", "admin:prescriptions_knowledgeentry_changelist", Medicines.KNOWLEDGE_VIEW)
RECORDS = Entry(_("All records"), "clipboard", "admin:all_records")


def notes_to_finish(user: Any) -> int:
    """Returns how many of the doctor's own notes are not signed within a day."""
    return worklists.to_finish(visible_to=user, doctor_id=user.pk).order_by().count()


def emergency_access_to_review(user: Any) -> int:
    """Returns how often emergency access waits for review by this user."""
    return emergency_access.to_review(user)[0]


RECEPTION: Menu = (
    Group("", (Entry(_("Home"), "home", HOME), SCHEDULE, QUEUE)),
    Group(
        _("Patients"),
        (
            FIND_OR_REGISTER,
            Entry(
                _("Waiting list"),
                "star",
                "admin:appointments_waitlistentry_changelist",
                Appointments.WAITLIST_VIEW,
                with_an_open_offer,
            ),
        ),
    ),
    Group(
        _("Appointments"),
        (
            Entry(_("Appointments"), "clipboard", "admin:appointments_appointment_changelist", Appointments.APPOINTMENT_VIEW),
            Entry(_("Repeat bookings"), "refresh", "admin:appointments_series_changelist", Appointments.APPOINTMENT_BOOK),
            COVER,
        ),
    ),
    Group(_("Clinic"), (HOURS, ROOMS)),
)

NURSE: Menu = (
    Group("", (Entry(_("Rooming"), "home", HOME), QUEUE, SCHEDULE)),
    Group(_("Patients"), (FIND,)),
)

DOCTOR: Menu = (
    Group(
        "",
        (
            Entry(_("My day"), "home", HOME),
            Entry(_("My schedule"), "week", "admin:schedule", Appointments.QUEUE_VIEW, query="?view=week"),
            QUEUE,
        ),
    ),
    Group(
        _("To do"),
        (
            Entry(
                _("Notes to finish"),
                "edit",
                "admin:consultations_consultation_changelist",
                Consultations.CONSULTATION_SIGN,
                notes_to_finish,
                "?status=unsigned&doctor=mine",
            ),
        ),
    ),
    Group(
        _("Patients"),
        (FIND, Entry(_("Restricted records"), "lock", "admin:patients_restriction_changelist", Patients.PATIENT_RESTRICT)),
    ),
    Group(_("Look up"), (CODES, DRUGS, RULES)),
)

OTHERS: Menu = (
    Group("", (Entry(_("Home"), "home", HOME),)),
    Group(_("Patients"), (FIND,)),
    Group(_("Look up"), (CODES, DRUGS, RULES)),
)

CLINIC = Group(_("Clinic"), (SCHEDULE, HOURS, COVER, ROOMS))
PEOPLE = Group(
    _("People"),
    (
        Entry(_("Staff"), "users", "admin:accounts_user_changelist", Accounts.STAFF_VIEW),
        Entry(_("Invite"), "user-plus", "admin:accounts_user_add", Accounts.STAFF_MANAGE),
    ),
)
SAFETY = Group(
    _("Safety"),
    (
        Entry(_("Who looked at records"), "eye", "admin:audit_auditevent_changelist", Audit.AUDIT_VIEW),
        Entry(
            _("Emergency access"),
            "lock",
            "admin:patients_breakglass_changelist",
            Patients.GLASS_REVIEW,
            emergency_access_to_review,
        ),
        Entry(
            _("Possible duplicates"),
            "users",
            "admin:patients_duplicatecandidate_changelist",
            Patients.PATIENT_DUPLICATES,
            patients.duplicate_candidate_count,
            also=("admin:patients_merge_changelist", "admin:patients_notduplicate_changelist"),
        ),
    ),
)
MESSAGES = Entry(_("Messages to staff"), "mail", "admin:notifications_message_changelist", Notifications.NOTIFICATION_SEND)

MANAGER: Menu = (
    Group("", (Entry(_("Dashboard"), "home", HOME),)),
    CLINIC,
    PEOPLE,
    SAFETY,
    Group(_("System"), (MESSAGES, RECORDS)),
)

ADMIN: Menu = (
    Group(
        "",
        (
            Entry(_("Needs you"), "home", HOME),
            Entry(_("Dashboard"), "chart", "admin:dashboard", Accounts.STAFF_VIEW),
            FIND_OR_REGISTER,
        ),
    ),
    CLINIC,
    PEOPLE,
    SAFETY,
    Group(
        _("System"),
        (
            MESSAGES,
            Entry(_("API keys"), "code", "admin:accounts_apikey_changelist", Accounts.KEY_KEEP_ALL),
            Entry(_("API sessions"), "key", "admin:accounts_session_changelist", Accounts.STAFF_MANAGE),
            Entry(
                _("Background jobs"),
                "refresh",
                "admin:jobs",
                jobs.NEED,
                also=("admin:events_delivery_changelist",),
            ),
            RECORDS,
        ),
    ),
)

MENUS: dict[Role, Menu] = {
    Role.RECEPTIONIST: RECEPTION,
    Role.NURSE: NURSE,
    Role.DOCTOR: DOCTOR,
    Role.PHARMACIST: OTHERS,
    Role.LAB_TECHNICIAN: OTHERS,
    Role.BILLING: OTHERS,
    Role.MANAGER: MANAGER,
    Role.ADMIN: ADMIN,
}


def person(user: Any) -> dict[str, Any]:
    """Returns how pages show the user who is signed in."""
    names = [name for name in (user.first_name, user.last_name) if name]
    return {
        "name": user.full_name,
        "initials": "".join(name[0] for name in names).upper(),
        "role": ROLE_NAMES[Role(user.role)],
    }
