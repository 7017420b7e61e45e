"""What the desk consists of: the pages of models, which register themselves, the pages of tasks, and the pending work."""

from apps.appointments.rights import Permission as AppointmentPermission
from apps.consultations.rights import Permission as ConsultationPermission
from apps.desk.accounts import api_keys, doctors, sessions, staff
from apps.desk.accounts.password import ForgotPasswordView, OwnPasswordView, ResetPasswordView
from apps.desk.accounts.reauthentication import ReauthenticationPage
from apps.desk.accounts.second_factor import SecondFactorView
from apps.desk.accounts.sign_in import CodeView, EnrolView, SignInView
from apps.desk.appointments import (
    appointments,
    doctor_schedules,
    panels,
    queue,
    reschedule,
    rooms,
    schedule,
    series,
    time_off,
    waitlist,
)
from apps.desk.audit import log
from apps.desk.consultations import consultations, walk_ins
from apps.desk.events import deliveries
from apps.desk.kit.site import NavLink, PendingWork, SitePage, site
from apps.desk.notifications import inbox, sent
from apps.desk.patients import charts, duplicate_candidates, merges, patients, restricted
from apps.desk.terminology import codes
from apps.patients.rights import Permission as PatientPermission

MODEL_PAGES = (
    *(api_keys, doctors, sessions, staff),
    *(appointments, doctor_schedules, reschedule, rooms, series, time_off, waitlist),
    *(log, consultations, deliveries, inbox, sent),
    *(charts, duplicate_candidates, merges, patients, restricted, codes),
)

site.sign_in_view = SignInView
site.password_view = OwnPasswordView
site.reauthentication = ReauthenticationPage(site)
site.search = ("admin:patients_patient_changelist", PatientPermission.PATIENT_VIEW)
site.notification_link = inbox.unread_badge
site.pages = (
    SitePage(route="login/code/", name="login_code", view=CodeView, is_open=True),
    SitePage(route="login/second-factor/", name="login_enrol", view=EnrolView, is_open=True),
    SitePage(route="password-forgot/", name="password_forgot", view=ForgotPasswordView, is_open=True),
    SitePage(route="password-reset/", name="password_reset", view=ResetPasswordView, is_open=True),
    SitePage(route="second-factor/", name="second_factor", view=SecondFactorView),
    SitePage(route="schedule/", name="schedule", view=schedule.ScheduleView, permission=schedule.NEED),
    SitePage(route="queue/", name="queue", view=queue.QueueView, permission=queue.NEED),
)
site.nav_links = (
    NavLink("Schedule", "admin:schedule", schedule.NEED),
    NavLink("Queue", "admin:queue", queue.NEED),
)
site.pending_work = (
    PendingWork(
        "Today’s unconfirmed appointments",
        "admin:appointments_appointment_changelist",
        AppointmentPermission.APPOINTMENT_ANY,
        panels.unconfirmed_today,
        "?day=today&status=unconfirmed",
    ),
    PendingWork("In the waiting room", "admin:queue", queue.NEED, panels.in_the_waiting_room),
    PendingWork(
        "On the waiting list with an open offer",
        "admin:appointments_waitlistentry_changelist",
        AppointmentPermission.WAITLIST_KEEP,
        waitlist.with_an_open_offer,
        "?offer=open",
    ),
    PendingWork(
        "Visits with an alert that no doctor has acknowledged",
        "admin:consultations_consultation_changelist",
        ConsultationPermission.CONSULTATION_SEE_NOTES,
        walk_ins.with_an_alert,
        "?status=alert",
    ),
    PendingWork(
        "Possible duplicates",
        "admin:patients_duplicatecandidate_changelist",
        PatientPermission.PATIENT_MERGE,
        duplicate_candidates.waiting_text,
    ),
)
