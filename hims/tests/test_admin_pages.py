"""The admin in a real browser: the strict CSP holds, no other host is asked, axe finds nothing, the keyboard suffices."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.models import Session, User
from apps.appointments import services as appointments
from apps.appointments.scheduling.recurrence import Rhythm
from apps.audit.models import AuditEvent
from apps.consultations import services as consultations
from apps.consultations.services import NewSave
from apps.consultations.steps.definitions import Step
from apps.desk.appointments import queue
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

RULES = {
    "light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},  # what a colour scheme can change
}
# Carries axe into the page once, for both schemes.
_AXE = Axe().axe_script
# A link that is still on its way from one scheme's colour to the other's is taken there first.
# Of what a page loads, axe reads only sounds and films once more: the policy would stop the copy of a stylesheet.
_RUN = """only => {
  document.getAnimations().forEach(moving => moving.finish());
  return axe.run({runOnly: only, resultTypes: ["violations"], preload: {assets: ["media"]}}).then(results => results.violations);
}"""
SHOTS = os.environ.get("HIMS_SCREENSHOTS", "")  # a folder to keep pictures in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium (apt-get install chromium)"),
]


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
    visit = factories.fill(doctor, factories.start_consultation(doctor, patient), 2, 4, 6)
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


def test_every_page_keeps_the_strict_policy_asks_no_other_host_and_axe_finds_nothing_in_either_colour_scheme(
    chromium: Browser, live_server: Any, shown: AdminScenario, settings: Any
) -> None:
    """One visit to each page tries all three, because the visits take most of the time."""
    here, context = open_admin(chromium, live_server)
    problems = []

    def look(name: str) -> None:
        here.page.wait_for_load_state()  # a click returns when the reply begins
        here.page.evaluate(_AXE)
        for scheme, rules in RULES.items():
            here.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            picture(here.page, f"{name}-{scheme}")
            for rule in here.page.evaluate(_RUN, rules):
                problems.extend(f"{name}, {scheme}: {rule['id']} {node['target']} {node['html'][:120]}" for node in rule["nodes"])
        problems.extend(f"{name}: {complaint}" for complaint in here.complaints)
        here.complaints.clear()

    here.open("/admin/login/")
    look("login")
    here.page.fill("#id_username", "nobody")
    here.page.fill("#id_password", "wrong")
    here.page.press("#id_password", "Enter")
    look("login-refused")
    here.open("/admin/password-forgot/")
    look("forgot")
    here.open(accounts.create_password_link(user_id=shown.staff["lab_technician"].pk).partition(":8000")[2])
    look("reset")
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset({"nurse"})
    half_way(here, "nurse.ward")
    look("enrol")
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset()
    half_way(here, factories.enable_totp(shown.staff["doctor"]).username)
    look("code")
    here.sign_in("admin.ward")
    for name, address in shown.pages.items():
        response = here.page.goto(here.base + address)
        assert response, name
        if "script-src 'self'; " not in response.headers["content-security-policy"] + "; ":
            problems.append(f"{name}: {response.headers['content-security-policy']}")
        if name == "nowhere":
            here.complaints = [message for message in here.complaints if "404" not in message]
        look(name)
    lasts, settings.REAUTHENTICATION_LIFETIME = settings.REAUTHENTICATION_LIFETIME, timedelta(0)
    here.open(shown.pages["reset-mfa"])
    assert "Confirm your password" in here.page.content()
    look("proof")
    settings.REAUTHENTICATION_LIFETIME = lasts
    here.open(shown.pages["register"])
    here.page.click("input[name=_save]")
    look("register-refused")
    here.open(shown.pages["book"])
    here.page.click("button.primary[name=_save]")
    look("book-taken")
    here.open(shown.pages["series-book"])
    here.page.click("button[name=preview]")
    look("series-preview")
    here.page.click("input[name=_save]")
    look("series-taken")
    here.open(shown.pages["move-visits"])
    here.page.click(".submit-row button[name=look]")
    look("move-plan")
    here.page.click("input[name=_save]")
    look("move-refused")
    context.close()
    assert not problems, f"{len(problems)} problems\n" + "\n".join(problems)


def test_a_second_factor_is_set_up_at_the_door_without_javascript(
    chromium: Browser, live_server: Any, shown: AdminScenario, settings: Any
) -> None:
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset({"nurse"})
    here, context = open_admin(chromium, live_server, java_script_enabled=False)
    page = half_way(here, "nurse.ward")
    assert page.locator(".hims-qr svg").bounding_box()["width"] > 100  # type: ignore[index]
    page.fill("#id_code", factories.code(page.inner_text(".hims-key")))
    page.press("#id_code", "Enter")
    assert page.locator(".hims-codes li").count() == 10
    picture(page, "recovery-codes")
    page.click(".hims-onward")
    page.wait_for_url(here.base + "/admin/")
    assert not here.complaints
    context.close()


def test_two_people_at_one_record_see_both_versions(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("receptionist.ward")
    page = here.open(shown.pages["patient"])
    page.fill("#id_city", "Berkeley")
    patients.amend(by=shown.staff["nurse"], patient_id=shown.patient.pk, changes={"city": "San Jose"})
    page.click("input[name=_save]")
    assert "Changed by Nurse.Ward Tester" in page.inner_text(".alert.ack")
    assert page.input_value("#id_city") == "Berkeley"
    assert page.title().startswith("Error:")
    picture(page, "clash")
    page.click("input[name=_save]")
    assert Patient.objects.get(pk=shown.patient.pk).city == "Berkeley"
    assert not here.complaints
    context.close()


def test_a_patient_is_found_registered_and_charted_by_keyboard_alone(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("doctor.ward")
    page = here.open(shown.pages["doctors"])
    page.keyboard.press("/")
    page.keyboard.type("mrn001")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    assert "DOE, John" in page.inner_text(".banner")
    assert "Penicillin" in page.inner_text(".allergy.has")

    here.open(shown.pages["patients"])
    second = re.search(r"MRN\d+", page.locator("#result_list tbody tr").nth(1).inner_text())
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    assert second
    assert second.group() in page.inner_text(".banner")

    here.open(shown.pages["new-entry"])
    page.fill("#id_display", "Latex")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/chartentry/?patient=*")
    assert "Latex" in page.inner_text(".allergy.has")
    assert not here.complaints
    context.close()


def test_arrows_lead_through_the_schedule_and_a_free_time_is_booked_by_keyboard(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("receptionist.ward")
    page = here.open(shown.pages["schedule"])
    page.focus(".schedule .slot")
    FOCUSED = "document.activeElement.textContent.trim().split('Book ').pop()"
    first = page.evaluate(FOCUSED)
    for key, start in (("ArrowDown", "Book 09:15"), ("ArrowUp", "Book 09:00"), ("End", ""), ("Home", "Book 09:00")):
        page.keyboard.press(key)
        if start:
            assert page.evaluate("document.activeElement.querySelector('.vh').textContent").startswith(start)
        else:
            assert page.evaluate("document.activeElement.closest('td') !== null")
    assert page.evaluate(FOCUSED) == first
    page.keyboard.press("Enter")
    page.wait_for_url("**/appointment/add/**")
    page.keyboard.type("eve lee")
    page.keyboard.press("Enter")
    page.wait_for_selector("#result_list a")
    with page.expect_navigation():  # whole, scripts too: they listen for the keys
        page.click("#result_list a")
    assert page.input_value("#id_scheduled_time_1") == "09:00"
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/schedule/**")
    assert "Booked: " in page.inner_text(".messagelist")
    assert not here.complaints
    context.close()


def test_m_and_a_drag_lead_to_the_same_question_before_a_patient_is_moved(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("receptionist.ward")
    page = here.open(shown.pages["schedule"])
    block = page.locator("a.appt[data-move]").first
    block.focus()
    with page.expect_navigation():
        page.keyboard.press("m")
    assert page.evaluate("document.activeElement.matches('.appt.moving')")
    assert "choose a free time" in page.inner_text(".alert.info")
    page.focus(".slot")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    by_key = [page.inner_text("form.question p >> nth=0"), page.is_checked("#id_notify_patient")]
    page = here.open(shown.pages["schedule"])
    with page.expect_navigation():
        page.locator("a.appt[data-move]").first.drag_to(page.locator("a.slot").first)
    assert [page.inner_text("form.question p >> nth=0"), page.is_checked("#id_notify_patient")] == by_key
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    assert "Moved: " in page.inner_text(".messagelist")
    assert urlsplit(page.url).path == reverse("admin:schedule")
    page.locator("a.appt[data-move]").first.focus()
    with page.expect_navigation():
        page.keyboard.press("m")
    with page.expect_navigation():
        page.keyboard.press("Escape")
    assert not page.locator(".moving").count()
    assert not here.complaints
    context.close()


def test_enter_in_a_refused_booking_never_takes_an_alternative(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server, java_script_enabled=False)
    here.sign_in("receptionist.ward")
    page = here.open(shown.pages["book"])
    page.click("input[name=_save]")
    assert page.locator("button[name=alternative]").count() == 3
    page.focus("#id_duration_minutes")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("button[name=alternative]").count() == 3
    page.locator("button[name=alternative]").nth(1).click()
    assert "Booked: " in page.inner_text(".messagelist")
    context.close()


def test_an_absent_doctors_visits_are_moved_and_put_back_by_keyboard_without_javascript(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    factories.publish(factories.hire("dr.other", "doctor", specialty="Cardiology", last_name="Other"))
    here, context = open_admin(chromium, live_server, java_script_enabled=False)
    here.sign_in("receptionist.ward")
    page = here.open(shown.pages["move-visits"])
    page.select_option("#id_to_doctor_id", label=page.locator("#id_to_doctor_id option", has_text="Other").inner_text())
    page.focus("#id_reason")
    page.keyboard.type("Ill")
    with page.expect_navigation():
        page.keyboard.press("Enter")  # looks, and moves nothing
    assert "New times of the appointments" in page.inner_text("#content")
    assert page.input_value("#id_reason") == "Ill"
    page.focus("input[name=_save]")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Appointments moved: 3." in page.inner_text(".messagelist")
    page.click("text=Move the appointments back")
    page.focus("form.question .danger")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Appointments moved back: 3." in page.inner_text(".messagelist")
    assert not here.complaints
    context.close()


def test_the_queue_keeps_itself_fresh_says_what_changed_and_leaves_the_focus_alone(
    chromium: Browser, live_server: Any, shown: AdminScenario
) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("nurse.ward")
    here.page.clock.install()
    page = here.open(shown.pages["queue"])
    ids = page.locator("#result_list tbody tr").evaluate_all("rows => rows.map(row => row.id)")
    first = page.get_attribute(f"#{ids[0]}", "data-who")
    page.locator(f"#{ids[1]} summary").click()
    page.fill(f"#{ids[1]} input[name=triage_reason]", "half a rea")
    came = factories.book_and_check_in(factories.register_patient("Ivy", "Stern"), shown.staff["doctor"], 0, "emergency")
    appointments.cancel(by=SYSTEM, appointment_id=ids[0].removeprefix("visit-"))
    page.clock.fast_forward(15_000)
    page.wait_for_selector(f"#visit-{came.pk}")
    assert page.inner_text("#hims-queue-news").startswith("New: STERN, Ivy, token ")
    assert f"No longer waiting: {first}." in page.inner_text("#hims-queue-news")
    assert page.locator("#result_list tbody tr").evaluate_all("rows => rows.map(row => row.id)") == [
        f"visit-{came.pk}",
        *ids[1:],
    ]
    assert page.evaluate("document.activeElement.closest('tr').id") == ids[1]
    assert page.input_value(f"#{ids[1]} input[name=triage_reason]") == "half a rea"
    page.click("#hims-queue-pause")
    appointments.cancel(by=SYSTEM, appointment_id=came.pk)
    page.clock.fast_forward(45_000)
    assert page.inner_text("#hims-queue-age").startswith("Paused. Updated ")
    assert page.locator(f"#visit-{came.pk}").count() == 1
    page.click("#hims-queue-pause")
    page.wait_for_selector(f"#visit-{came.pk}", state="detached")
    page.focus(f"#{ids[2]} th a")
    appointments.cancel(by=SYSTEM, appointment_id=ids[2].removeprefix("visit-"))
    page.clock.fast_forward(15_000)
    page.wait_for_selector(f"#{ids[2]}.gone")  # a row in use stays
    assert page.evaluate("document.activeElement.closest('tr').id") == ids[2]
    assert not here.complaints
    context.close()


def test_the_queue_keeps_telling_how_many_it_does_not_show(
    chromium: Browser, live_server: Any, shown: AdminScenario, monkeypatch: Any
) -> None:
    monkeypatch.setattr(queue, "MOST", 1)
    here, context = open_admin(chromium, live_server)
    here.sign_in("nurse.ward")
    here.page.clock.install()
    page = here.open(shown.pages["queue"])
    more = int(re.search(r"And (\d+) more", page.inner_text("#hims-queue-beyond")).group(1))  # type: ignore[union-attr]
    factories.book_and_check_in(factories.register_patient("Ivy", "Stern"), shown.staff["doctor"], 0)
    page.clock.fast_forward(15_000)
    page.wait_for_selector(f"#hims-queue-beyond:has-text('And {more + 1} more')")
    context.close()


def test_an_unattended_queue_is_cleared_when_the_session_ends(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("nurse.ward")
    here.page.clock.install()
    page = here.open(shown.pages["queue"])
    accounts.deactivate(by=shown.staff["admin"], user_id=shown.staff["nurse"].pk)
    page.clock.fast_forward(15_000)
    page.wait_for_url("**/admin/login/**")
    assert not page.locator("#result_list").count()
    context.close()


def test_the_queue_works_without_javascript(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server, java_script_enabled=False)
    here.sign_in("nurse.ward")
    page = here.open(shown.pages["queue"])
    assert not page.locator("#hims-queue-pause").is_visible()
    last = page.locator("#result_list tbody tr").last
    last.locator("summary").click()
    last.locator("select").select_option("emergency")
    last.locator("button").click()
    assert "The priority is saved." in page.inner_text(".messagelist")
    page.click("text=Refresh")
    assert page.locator("#result_list tbody th .tag:has-text('Emergency')").count() >= 2
    context.close()


def test_single_keys_can_be_switched_off(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("nurse.ward")
    page = here.open(shown.pages["patients"])
    page.click("#user-tools summary")
    page.click("#hims-keys")
    page.locator("h1").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") != "hims-search"
    page.click("#hims-keys")
    page.locator("h1").click()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "hims-search"
    context.close()


def test_pages_fit_a_narrow_screen(chromium: Browser, live_server: Any, shown: AdminScenario) -> None:
    here, context = open_admin(chromium, live_server)
    here.sign_in("admin.ward")
    here.page.set_viewport_size({"width": 320, "height": 800})
    wide = []
    narrow = "index patients patient merge suspected new-entry hire schedule queue book week series series-book move move-visits"
    for name in [*narrow.split(), "notifications", "history"]:
        page = here.open(shown.pages[name])
        picture(page, f"{name}-narrow")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 320:
            wide.append(f"{name}: {width}")
    context.close()
    assert not wide, wide
