"""What the tests of the desk in a real browser look at: a ward with a row for each page, and a browser that keeps complaints."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from apps.access.actor import SYSTEM
from apps.accounts.models import Session, User
from apps.appointments import services as appointments
from apps.appointments.scheduling.recurrence import Rhythm
from apps.audit.models import AuditEvent
from apps.consultations import services as consultations
from apps.consultations.services import NewSave
from apps.consultations.steps.definitions import Step
from apps.notifications import services as notifications
from apps.notifications.models import Message, Notification
from apps.notifications.services import Notice
from apps.patients import services as patients
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.models import Patient
from apps.patients.tests.contract import undone_merge
from apps.terminology.tests import factories as terminology
from hims.tests import factories
from hims.tests.browser import CHROMIUM, FLAGS, PATIENCE

SHOTS = os.environ.get("HIMS_SCREENSHOTS", "")  # a folder to keep pictures in


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in this thread
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@dataclass
class AdminPages:
    """A user in the admin, and the errors of the browser's console."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")

    def _asked(self, request: Any) -> None:
        asked = urlsplit(request.url)
        if asked.scheme not in ("data", "blob") and f"{asked.scheme}://{asked.netloc}" != self.base:
            self.complaints.append(f"asked {request.url}")

    def open(self, address: str) -> Page:
        self.page.goto(self.base + address)
        return self.page

    def click(self, selector: str) -> None:
        """Clicks what leads to another page, and waits for the whole page. A click itself returns before the form is sent, and
        chromium may never answer to the close of a context whose page is on its way."""
        with self.page.expect_navigation():
            self.page.locator(selector).first.click()

    def sign_in(self, username: str) -> None:
        self.open("/admin/login/?next=/admin/")
        self.page.fill("#id_username", username)
        self.page.fill("#id_password", factories.PASSWORD)
        self.page.press("#id_password", "Enter")
        self.page.wait_for_url(self.base + "/admin/")


@dataclass
class AdminScenario:
    """What there is to look at."""

    staff: dict[str, User]
    patient: Patient
    pages: dict[str, str]


def notification_for(staff: dict[str, User]) -> Notification:
    """Returns a notification that the administrator sent to all staff, including themselves."""
    text = "The system will be away from 2 to 4.\nThe paper forms are at the desk."
    notice = Notice(title="Maintenance", message=text, priority="high", type="warning", action_url="/admin/")
    message = notifications.send(by=staff["admin"], notice=notice, roles=list(staff))
    return Notification.objects.get(message=message, user=staff["admin"])


def appointment_pages(staff: dict[str, User], patient: Patient, other: Patient) -> dict[str, str]:
    """The schedule with an appointment in every state."""
    doctor = staff["doctor"]
    factories.publish(doctor)
    visit = factories.book(patient, doctor, room_id=factories.room().pk)
    factories.book(other, doctor, overbook_reason="Fever")
    appointments.add_time_off(by=SYSTEM, doctor_id=doctor.pk, starts_at=factories.at("15:00"), ends_at=factories.at("16:00"))
    for name, ago, triage in (("Ida", 40, "routine"), ("Ivo", 20, "urgent"), ("Ina", 5, "emergency"), ("Ira", 3000, "routine")):
        factories.book_and_check_in(factories.register_patient(name, "Stern"), doctor, ago, triage)
    day, page = f"?date={factories.at().date()}", "admin:appointments_appointment_"
    return {
        "schedule": reverse("admin:schedule") + day,
        "schedule-week": reverse("admin:schedule") + f"{day}&view=week",
        "queue": reverse("admin:queue"),
        "queue-empty": reverse("admin:queue") + f"?doctor={factories.hire('free.doctor', 'doctor', specialty='Cardiology').pk}",
        "visits": reverse(f"{page}changelist"),
        "visit": reverse(f"{page}change", args=[visit.pk]),
        "book-choose": reverse(f"{page}add") + "?q=lee",
        "book": reverse(f"{page}add") + f"?patient={other.pk}&doctor={doctor.pk}&at={factories.at():%Y-%m-%dT%H:%M}-08:00",
        "cancel": reverse(f"{page}cancel", args=[visit.pk]),
        "check-in": reverse(f"{page}check_in", args=[visit.pk]),
        "move-one": reverse(f"{page}move", args=[visit.pk]),
        "move-one-asks": reverse(f"{page}move", args=[visit.pk]) + "?to=2030-01-07T18:00:00Z",
        "triage": reverse(f"{page}triage", args=[visit.pk]),
        "week": reverse("admin:appointments_doctorschedule_change", args=[doctor.pk]),
        "time-off": reverse("admin:appointments_timeoff_add"),
    } | planning_pages(doctor, patient)


def planning_pages(doctor: User, patient: Patient) -> dict[str, str]:
    """A series, a move that was undone in part, and where such are made."""
    page, later = "admin:appointments_", factories.at() + timedelta(days=28)
    first = appointments.NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=factories.at("11:00"))
    series = appointments.book_series(by=SYSTEM, new=appointments.NewSeries(first=first, rhythm=Rhythm(count=3))).series.pk
    moved = factories.book(patient, doctor, later)
    away = appointments.DoctorAbsence(
        doctor_id=doctor.pk, starts_at=later - timedelta(hours=1), ends_at=later + timedelta(hours=5)
    )
    move = appointments.bulk_reschedule(by=SYSTEM, absence=away, reason="Ill").move.pk
    appointments.confirm(by=SYSTEM, appointment_id=moved.pk)
    appointments.undo_bulk_reschedule(by=SYSTEM, move_id=move)
    off = appointments.add_time_off(
        by=SYSTEM, doctor_id=doctor.pk, starts_at=factories.at("10:00"), ends_at=factories.at("14:00")
    )
    absent = {"doctor": doctor.pk, "from": factories.at("10:00").isoformat(), "until": factories.at("14:00").isoformat()}
    return {
        "series-list": reverse(f"{page}series_changelist"),
        "series": reverse(f"{page}series_change", args=[series]),
        "series-cancel": reverse(f"{page}series_cancel_rest", args=[series]),
        "series-book": reverse(f"{page}series_add")
        + f"?patient={patient.pk}&doctor={doctor.pk}&at={factories.at('11:00'):%Y-%m-%dT%H:%M}-08:00",
        "moves": reverse(f"{page}bulkreschedule_changelist"),
        "move": reverse(f"{page}bulkreschedule_change", args=[move]),
        "move-visits": f"{reverse(f'{page}bulkreschedule_add')}?{urlencode(absent)}",
        "time-off-booked": reverse(f"{page}timeoff_change", args=[off.pk]),
    }


def visit_pages(staff: dict[str, User]) -> dict[str, str]:
    """A visit with something in it and an alert, and one that is signed."""
    terminology.restore()
    patient, doctor, page = factories.register_patient("Gil", "Moss"), staff["doctor"], "admin:consultations_consultation_"
    visit = factories.fill(doctor, factories.start_consultation(doctor, patient), 0, 2, 4, 6)
    over = factories.signed(doctor, patient).row
    pk = visit.row.pk
    high = NewSave(step=Step.VITALS, data={"bp": "200/130", "pulse": 90})
    consultations.save_step(by=doctor, consultation_id=pk, save=high)
    return {
        "consultations": reverse(f"{page}changelist"),
        "consultation": reverse(f"{page}change", args=[pk]),
        "consultation-vitals": reverse(f"{page}step", args=[pk, 1]),
        "consultation-diagnoses": reverse(f"{page}step", args=[pk, 6]),
        "consultation-sign": reverse(f"{page}complete", args=[pk]),
        "consultation-signed": reverse(f"{page}change", args=[over.pk]),
        "consultation-start": reverse(f"{page}add") + f"?patient={patient.pk}",
        "consultation-who": reverse(f"{page}add") + "?q=moss",
    }


@pytest.fixture
def shown() -> AdminScenario:
    staff = factories.create_staff()
    dora, undone = (
        factories.register_patient("Dora", "Lee", date(1961, 2, 3), gender="female", phone="415 555 0111"),
        undone_merge(),
    )
    patient = factories.register_patient(
        mrn="MRN001", phone="(415) 555-0134", email="john@example.com", street="12 Elm Street", city="Oakland"
    )
    for name in ("Ann", "Bea", "Cora"):
        factories.register_patient(name, "Roe", phone="415 555 0199")
    factories.chart(patient, "allergy", "Penicillin", detail={"severity": "severe"})
    entry = factories.chart(patient, code_system="ICD-10-CM", code="I10", detail={"note": "Since 2019."})
    factories.api_client(staff["nurse"])
    session = Session.objects.get()
    patients.refresh_duplicate_candidates(by=SYSTEM, patient_id=factories.register_patient("Jhon", phone="(415) 555-0134").pk)
    pair = DuplicateCandidate.objects.get()
    chart = f"?patient={patient.pk}"
    pages = {
        "index": reverse("admin:index"),
        "patients": reverse("admin:patients_patient_changelist"),
        "search": reverse("admin:patients_patient_changelist") + "?q=roe",
        "nobody": reverse("admin:patients_patient_changelist") + "?q=zzz",
        "register": reverse("admin:patients_patient_add"),
        "patient": reverse("admin:patients_patient_change", args=[patient.pk]),
        "deactivate": reverse("admin:patients_patient_deactivate", args=[patient.pk]),
        "merge-choose": reverse("admin:patients_patient_merge", args=[patient.pk]) + "?q=lee",
        "merge": reverse("admin:patients_patient_merge", args=[patient.pk]) + f"?into={dora.pk}",
        "merges": reverse("admin:patients_merge_changelist"),
        "merged": reverse("admin:patients_merge_change", args=[undone.pk]),
        "settle": reverse("admin:patients_merge_settle", args=[undone.pk]),
        "suspected": reverse("admin:patients_duplicatecandidate_changelist"),
        "suspected-none": reverse("admin:patients_duplicatecandidate_changelist") + "?why=same_email",
        "suspected-pair": reverse("admin:patients_duplicatecandidate_change", args=[pair.pk]),
        "not-duplicates": reverse("admin:patients_notduplicate_changelist"),
        "not-same": reverse("admin:patients_duplicatecandidate_not_same", args=[pair.pk]),
        "history": reverse("admin:patients_patient_history", args=[patient.pk]),
        "chart": reverse("admin:patients_chartentry_changelist") + chart,
        "new-entry": reverse("admin:patients_chartentry_add") + f"{chart}&type=allergy",
        "entry": reverse("admin:patients_chartentry_change", args=[entry.pk]),
        "retract": reverse("admin:patients_chartentry_retract", args=[entry.pk]),
        "staff": reverse("admin:accounts_user_changelist"),
        "hire": reverse("admin:accounts_user_add"),
        "staff-member": reverse("admin:accounts_user_change", args=[staff["nurse"].pk]),
        "set-password": reverse("admin:accounts_user_set_password", args=[staff["nurse"].pk]),
        "doctors": reverse("admin:accounts_doctor_changelist"),
        "doctor": reverse("admin:accounts_doctor_change", args=[staff["doctor"].pk]),
        "sessions": reverse("admin:accounts_session_changelist"),
        "session": reverse("admin:accounts_session_change", args=[session.pk]),
        "trail": reverse("admin:audit_auditevent_changelist"),
        "trail-verify": reverse("admin:audit_auditevent_verify"),
        "trail-row": reverse("admin:audit_auditevent_change", args=[AuditEvent.objects.all()[0].pk]),
        "deliveries": reverse("admin:events_delivery_changelist"),
        "notifications": reverse("admin:notifications_notification_changelist"),
        "notification": reverse("admin:notifications_notification_change", args=[notification_for(staff).pk]),
        "notices": reverse("admin:notifications_message_changelist"),
        "send-notice": reverse("admin:notifications_message_add"),
        "notice": reverse("admin:notifications_message_change", args=[Message.objects.get().pk]),
        "password": reverse("admin:password_change"),
        "second-factor": reverse("admin:second_factor"),
        "reset-mfa": reverse("admin:accounts_user_reset_mfa", args=[staff["nurse"].pk]),
        "nowhere": "/admin/nowhere/",
    }
    return AdminScenario(staff, patient, pages | appointment_pages(staff, patient, dora) | visit_pages(staff))


def open_admin(chromium: Browser, live_server: Any, **options: Any) -> tuple[AdminPages, BrowserContext]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, **options)
    context.set_default_timeout(PATIENCE)
    return AdminPages(context.new_page(), live_server.url), context


def half_way(here: AdminPages, username: str) -> Page:
    """The page after name and password, for a user who must do more."""
    here.open("/admin/login/")
    here.page.fill("#id_username", username)
    here.page.fill("#id_password", factories.PASSWORD)
    here.page.press("#id_password", "Enter")
    here.page.wait_for_selector("#id_code")
    return here.page


def picture(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)
