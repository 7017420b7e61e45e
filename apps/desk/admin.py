"""What the desk consists of: the pages of models, which register themselves, the pages of tasks, menus and homes."""

from apps.desk.accounts import api_keys, doctors, sessions, staff
from apps.desk.accounts.password import ForgotPasswordView, OwnPasswordView, ResetPasswordView
from apps.desk.accounts.reauthentication import ReauthenticationPage
from apps.desk.accounts.second_factor import SecondFactorView
from apps.desk.accounts.sign_in import CodeView, EnrolView, SignInView
from apps.desk.appointments import (
    appointments,
    doctor_schedules,
    queue,
    reschedule,
    rooms,
    schedule,
    series,
    time_off,
    waitlist,
)
from apps.desk.audit import log
from apps.desk.consultations import call_in, consultations
from apps.desk.drafts.keeper import DraftKeeper
from apps.desk.drafts.pages import DraftAnswerView, DraftView
from apps.desk.events import deliveries, jobs
from apps.desk.home import HOMES
from apps.desk.home.dashboard import DashboardPage
from apps.desk.home.menus import MENUS, person
from apps.desk.home.records import AllRecordsView, MenuView
from apps.desk.kit.language import LanguageView
from apps.desk.kit.site import SitePage, site
from apps.desk.notifications import inbox, sent
from apps.desk.patients import charts, duplicate_candidates, finding, merges, not_duplicates, patients, restricted
from apps.desk.prescriptions import drugs, knowledge
from apps.desk.terminology import codes
from apps.patients.rights import Permission as PatientPermission

MODEL_PAGES = (
    *(api_keys, doctors, sessions, staff),
    *(appointments, doctor_schedules, reschedule, rooms, series, time_off, waitlist),
    *(log, consultations, deliveries, inbox, sent),
    *(charts, duplicate_candidates, merges, not_duplicates, patients, restricted, codes, drugs, knowledge),
)

site.sign_in_view = SignInView
site.password_view = OwnPasswordView
site.reauthentication = ReauthenticationPage(site)
site.search = ("admin:patients_patient_changelist", PatientPermission.PATIENT_VIEW)
site.unread = inbox.unread
site.person = person
site.drafts = DraftKeeper(site)
site.menus = MENUS
site.homes = HOMES
site.pages = (
    SitePage(route="login/code/", name="login_code", view=CodeView, is_open=True),
    SitePage(route="login/second-factor/", name="login_enrol", view=EnrolView, is_open=True),
    SitePage(route="password-forgot/", name="password_forgot", view=ForgotPasswordView, is_open=True),
    SitePage(route="password-reset/", name="password_reset", view=ResetPasswordView, is_open=True),
    SitePage(route="second-factor/", name="second_factor", view=SecondFactorView),
    SitePage(route="schedule/", name="schedule", view=schedule.ScheduleView, permission=schedule.NEED),
    SitePage(route="queue/", name="queue", view=queue.QueueView, permission=queue.NEED),
    SitePage(route="call-in/", name="call_in", view=call_in.CallInView, permission=call_in.NEED),
    SitePage(route="dashboard/", name="dashboard", view=DashboardPage, permission=DashboardPage.permission),
    SitePage(route="find/", name="find", view=finding.SuggestionsView, permission=PatientPermission.PATIENT_VIEW),
    SitePage(route="jobs/", name="jobs", view=jobs.JobsView, permission=jobs.NEED),
    SitePage(route="records/", name="all_records", view=AllRecordsView),
    SitePage(route="drafts/", name="draft", view=DraftView, is_open=True),
    SitePage(route="drafts/answer/", name="draft_answer", view=DraftAnswerView),
    SitePage(route="menu/", name="menu", view=MenuView),
    SitePage(route="language/", name="language", view=LanguageView),
)
