"""Every page of the admin, as every role: who gets in is what `access` says, and every look is on record."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import timezone

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.models import Session, User
from apps.appointments import services as appointments
from apps.appointments.models import Appointment, Room, TimeOff, WaitlistEntry, WaitlistOffer
from apps.appointments.scheduling.recurrence import Rhythm
from apps.audit.models import AuditEvent
from apps.audit.rights import Permission
from apps.common import clock
from apps.consultations import services as consultations
from apps.events import services as events
from apps.events.models import Delivery, OutboxEvent
from apps.notifications import services as notifications
from apps.notifications.models import Message, Notification
from apps.notifications.services import Notice
from apps.patients import services as patients
from apps.patients.confidentiality.models import BreakGlass, Restriction
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.models import Merge, Patient
from apps.rest.admin.base import HimsModelAdmin
from apps.terminology.models import IcdCode, IcdRelease
from apps.terminology.tests import factories as terminology
from hims.tests import factories
from hims.tests.contracts import contracts

pytestmark = pytest.mark.django_db

READERS = {"doctor", "nurse", "pharmacist", "lab_technician", "billing"}
STAFF = {"manager", "receptionist", *READERS, "admin"}


@pytest.fixture
def page_of(staff: dict[str, User]) -> Callable[[str], Client]:
    """Somebody's browser, signed in, by role."""

    def open_browser(role: str) -> Client:
        return factories.browser(staff[role])

    return open_browser


def addresses(staff: dict[str, User]) -> dict[str, tuple[str, set[str]]]:
    """Every page, and the roles that may open it (HIMS_ADMIN_CLINICAL is on in tests)."""
    patient = factories.register_patient()
    entry = factories.chart(patient, code_system="ICD-10-CM", code="I10")
    accounts.sign_in(username="nurse.ward", password=factories.PASSWORD, ip=None, user_agent="")
    session = Session.objects.get()
    key = factories.create_api_key(staff["nurse"]).key
    merged = factories.merge(factories.register_patient("Ann", "Roe"), patient)
    trail = AuditEvent.objects.first()
    delivery, pair = parked(), suspected()
    everyone_but_manager, front_office = STAFF - {"manager"}, {"admin", "doctor", "nurse", "receptionist"}
    clinical = {"doctor", "nurse", "admin"}
    restriction, glass = restricted(staff)
    entry_page = reverse("admin:patients_chartentry_change", args=[entry.pk])
    return (
        {
            reverse("admin:index"): STAFF,
            reverse("admin:patients_patient_changelist"): everyone_but_manager,
            reverse("admin:patients_patient_add"): front_office,
            reverse("admin:patients_patient_change", args=[patient.pk]): everyone_but_manager,
            reverse("admin:patients_patient_deactivate", args=[patient.pk]): {"admin", "receptionist"},
            reverse("admin:patients_patient_no_known_allergies", args=[patient.pk]): {*clinical, "pharmacist"},
            reverse("admin:patients_patient_not_same", args=[patient.pk]): front_office,
            reverse("admin:patients_patient_merge", args=[patient.pk]): {"admin"},
            reverse("admin:patients_patient_restrict", args=[patient.pk]): {"admin"},
            reverse("admin:patients_patient_break_glass"): {"doctor", "nurse", "pharmacist"},
            reverse("admin:patients_restriction_changelist"): {"admin"},
            reverse("admin:patients_restriction_change", args=[restriction.pk]): {"admin"},
            reverse("admin:patients_restriction_team", args=[restriction.pk]): {"admin"},
            reverse("admin:patients_restriction_lift", args=[restriction.pk]): {"admin"},
            reverse("admin:patients_patient_change", args=[restriction.patient_id]): {"nurse", "doctor"},
            reverse("admin:patients_breakglass_changelist"): {"admin"},
            reverse("admin:patients_breakglass_change", args=[glass.pk]): {"admin"},
            reverse("admin:patients_breakglass_review", args=[glass.pk]): {"admin"},
            reverse("admin:patients_patient_history", args=[patient.pk]): {"admin"},
            reverse("admin:patients_merge_changelist"): {"admin"},
            reverse("admin:patients_merge_change", args=[merged.pk]): {"admin"},
            reverse("admin:patients_merge_undo", args=[merged.pk]): {"admin"},
            reverse("admin:patients_merge_settle", args=[taken_back().pk]): {"admin"},
            reverse("admin:patients_duplicatecandidate_changelist"): {"admin"},
            reverse("admin:patients_duplicatecandidate_change", args=[pair.pk]): {"admin"},
            reverse("admin:patients_duplicatecandidate_not_same", args=[pair.pk]): {"admin"},
            f"{reverse('admin:patients_chartentry_changelist')}?patient={patient.pk}": READERS | {"admin"},
            f"{reverse('admin:patients_chartentry_add')}?patient={patient.pk}&type=diagnosis": clinical,
            f"{reverse('admin:patients_chartentry_add')}?patient={patient.pk}&type=allergy": {*clinical, "pharmacist"},
            reverse("admin:patients_chartentry_retract", args=[entry.pk]): clinical,
            reverse("admin:accounts_user_changelist"): {"admin"},
            reverse("admin:accounts_user_add"): {"admin"},
            reverse("admin:accounts_user_change", args=[staff["nurse"].pk]): {"admin"},
            reverse("admin:accounts_user_set_password", args=[staff["nurse"].pk]): {"admin"},
            reverse("admin:accounts_user_reset_mfa", args=[staff["nurse"].pk]): {"admin"},
            reverse("admin:accounts_user_deactivate", args=[staff["nurse"].pk]): {"admin"},
            reverse("admin:accounts_doctor_changelist"): everyone_but_manager,
            reverse("admin:accounts_doctor_change", args=[staff["doctor"].pk]): everyone_but_manager,
            reverse("admin:accounts_apikey_changelist"): STAFF,
            reverse("admin:accounts_apikey_add"): STAFF,
            reverse("admin:accounts_apikey_change", args=[key.pk]): {"nurse", "admin"},
            reverse("admin:accounts_apikey_rotate", args=[key.pk]): {"nurse"},
            reverse("admin:accounts_apikey_revoke", args=[key.pk]): {"nurse", "admin"},
            reverse("admin:accounts_session_changelist"): {"admin"},
            reverse("admin:accounts_session_change", args=[session.pk]): {"admin"},
            reverse("admin:accounts_session_end", args=[session.pk]): {"admin"},
            reverse("admin:audit_auditevent_changelist"): {"admin"},
            reverse("admin:audit_auditevent_change", args=[trail.pk]): {"admin"},
            reverse("admin:events_delivery_changelist"): {"admin"},
            reverse("admin:events_delivery_change", args=[delivery.pk]): {"admin"},
            reverse("admin:events_delivery_try_again", args=[delivery.pk]): {"admin"},
            reverse("admin:terminology_icdcode_changelist"): everyone_but_manager,
            reverse("admin:terminology_icdcode_change", args=[codes()]): everyone_but_manager,
            reverse("admin:terminology_icdrelease_changelist"): everyone_but_manager,
            reverse("admin:terminology_icdrelease_change", args=[IcdRelease.objects.get().pk]): everyone_but_manager,
            reverse("admin:notifications_notification_changelist"): STAFF,
            reverse("admin:notifications_notification_change", args=[notification_for(staff["admin"]).pk]): {"admin"},
            reverse("admin:notifications_message_changelist"): {"admin"},
            reverse("admin:notifications_message_add"): {"admin"},
            reverse("admin:notifications_message_change", args=[noticed(staff).pk]): {"admin"},
            **appointment_pages(staff, patient),
            entry_page: READERS - {"lab_technician"} | {"admin"},
        }
        | consultation_pages(staff)
        | stated_pages(staff)
    )


def stated_pages(staff: dict[str, User]) -> dict[str, set[str]]:
    """The pages that apps state themselves."""
    return {address: roles for contract in contracts() for address, roles in contract.pages(staff).items()}


def consultation_pages(staff: dict[str, User]) -> dict[str, set[str]]:
    """The visit's pages: one that goes on, one that waits, one that is signed."""
    terminology.load()
    patient, doctor, base = factories.register_patient("Gil", "Moss"), staff["doctor"], "admin:consultations_consultation_"
    visit, waits = factories.start_consultation(doctor, patient).row, factories.start_consultation(doctor, patient).row
    consultations.hold(by=doctor, consultation_id=waits.pk)
    over, clinical, doctors = factories.signed(doctor, patient).row, {"doctor", "nurse", "admin"}, {"doctor", "admin"}
    return {
        reverse(f"{base}changelist"): {*clinical, "billing"},
        f"{reverse(f'{base}add')}?patient={patient.pk}": clinical,
        reverse(f"{base}change", args=[visit.pk]): {*clinical, "billing"},
        reverse(f"{base}step", args=[visit.pk, 1]): clinical,
        reverse(f"{base}complete", args=[visit.pk]): doctors,
        reverse(f"{base}hand_over", args=[visit.pk]): doctors,
        reverse(f"{base}ready", args=[visit.pk]): {"nurse", "admin"},
        reverse(f"{base}hold", args=[visit.pk]): clinical,
        reverse(f"{base}cancel", args=[visit.pk]): clinical,
        reverse(f"{base}resume", args=[waits.pk]): clinical,
        reverse(f"{base}addendum", args=[over.pk]): doctors,
    }


def appointment_pages(staff: dict[str, User], patient: Patient) -> dict[str, set[str]]:
    """The pages of the diary; the visits and the time off are the doctor's."""
    now, doctor = clock.now(), staff["doctor"]
    missed = factories.book(patient, doctor, now - timedelta(hours=1))
    visit = factories.book(patient, doctor, now + timedelta(hours=1))
    here = factories.book(patient, doctor, now + timedelta(hours=2))
    appointments.check_in(by=SYSTEM, appointment_id=here.pk, early=True)
    factories.publish(doctor)
    room, closed = appointments.add_room(by=SYSTEM, name="Room 1"), appointments.add_room(by=SYSTEM, name="Room 2")
    appointments.close_room(by=SYSTEM, room_id=closed.pk)
    off = appointments.add_time_off(by=SYSTEM, doctor_id=doctor.pk, starts_at=now, ends_at=now + timedelta(days=1))
    front_office, planners = {"admin", "doctor", "nurse", "receptionist"}, {"admin", "doctor", "receptionist"}
    everyone_but_manager = STAFF - {"manager"}

    def at(page: str, row: Appointment | Room | TimeOff | User | WaitlistEntry) -> str:
        return reverse(f"admin:appointments_{page}", args=[row.pk])

    return {
        reverse("admin:schedule"): front_office,
        reverse("admin:queue"): front_office,
        reverse("admin:appointments_appointment_changelist"): {*front_office, "billing"},
        reverse("admin:appointments_appointment_add"): front_office,
        f"{reverse('admin:appointments_appointment_add')}?patient={patient.pk}": front_office,
        at("appointment_change", visit): {*front_office, "billing"},
        at("appointment_confirm", visit): front_office,
        at("appointment_check_in", visit): front_office,
        at("appointment_triage", visit): front_office,
        at("appointment_cancel", visit): front_office,
        at("appointment_undo_check_in", here): front_office,
        at("appointment_no_show", missed): front_office,
        reverse("admin:appointments_room_changelist"): front_office,
        reverse("admin:appointments_room_add"): {"admin"},
        at("room_change", room): front_office,
        at("room_close", room): {"admin"},
        at("room_reopen", closed): {"admin"},
        reverse("admin:appointments_doctorschedule_changelist"): everyone_but_manager,
        reverse("admin:appointments_doctorschedule_add"): planners,
        at("doctorschedule_change", doctor): everyone_but_manager,
        reverse("admin:appointments_timeoff_changelist"): everyone_but_manager,
        reverse("admin:appointments_timeoff_add"): planners,
        at("timeoff_change", off): everyone_but_manager,
        at("timeoff_remove", off): planners,
        reverse("admin:appointments_waitlistentry_changelist"): front_office,
        f"{reverse('admin:appointments_waitlistentry_add')}?patient={patient.pk}": front_office,
        **{at(f"waitlistentry_{page}", offered(doctor)): front_office for page in ("change", "accept", "decline", "withdraw")},
    } | planning_pages(doctor, patient)


def planning_pages(doctor: User, patient: Patient) -> dict[str, set[str]]:
    """The pages of a series and of a move, both in the doctor's diary."""
    now, front_office, planners = clock.now(), {"admin", "doctor", "nurse", "receptionist"}, {"admin", "doctor", "receptionist"}
    first = appointments.NewAppointment(patient_id=patient.pk, doctor_id=doctor.pk, scheduled_time=now + timedelta(hours=2))
    series = appointments.book_series(by=SYSTEM, new=appointments.NewSeries(first=first, rhythm=Rhythm(count=2))).series.pk
    factories.book(patient, doctor, now + timedelta(days=30))
    away = appointments.DoctorAbsence(doctor_id=doctor.pk, starts_at=now + timedelta(days=29), ends_at=now + timedelta(days=31))
    move = appointments.bulk_reschedule(by=SYSTEM, absence=away, reason="Ill").move.pk
    page = "admin:appointments_"
    return {
        reverse(f"{page}series_changelist"): {*front_office, "billing"},
        reverse(f"{page}series_add"): front_office,
        f"{reverse(f'{page}series_add')}?patient={patient.pk}": front_office,
        reverse(f"{page}series_change", args=[series]): {*front_office, "billing"},
        reverse(f"{page}series_cancel_rest", args=[series]): front_office,
        reverse(f"{page}bulkreschedule_changelist"): planners,
        reverse(f"{page}bulkreschedule_add"): planners,
        reverse(f"{page}bulkreschedule_change", args=[move]): planners,
        reverse(f"{page}bulkreschedule_undo", args=[move]): planners,
    }


def offered(doctor: User) -> WaitlistEntry:
    """Somebody who waits and has an offer."""
    day = clock.today() + timedelta(days=1)
    entry = WaitlistEntry.objects.create(patient=factories.register_patient("Wanda", "Waits"), date_from=day, date_to=day)
    soon = clock.now() + timedelta(hours=3)
    open_offer = {"opening": uuid4(), "doctor": doctor, "scheduled_time": soon, "expires_at": soon, "rank": 1}
    WaitlistOffer.objects.create(entry=entry, duration_minutes=15, free_minutes=15, **open_offer)
    return entry


def restricted(staff: dict[str, User]) -> tuple[Restriction, BreakGlass]:
    """A chart that is the nurse's alone, and that the doctor opened in an emergency."""
    patient = factories.register_patient("Dora", "Hale", date(1970, 7, 8))
    reason = "A colleague of ours"
    closed = patients.restrict(by=staff["admin"], patient_id=patient.pk, care_team=[staff["nurse"].pk], reason=reason)
    return closed, patients.break_glass(by=staff["doctor"], patient_id=patient.pk, reason="Unconscious in the hall")


def codes() -> UUID:
    """A code of ICD-10-CM."""
    terminology.load()
    return IcdCode.objects.get(code="E11.9").pk


def taken_back() -> Merge:
    """A merge that was undone after something was written."""
    retired, survivor = (
        factories.register_patient("Bea", "Roe", date(1950, 1, 2)),
        factories.register_patient("Cora", "Lee", date(1960, 3, 4)),
    )
    merged = factories.merge(retired, survivor)
    factories.chart(survivor)
    return patients.undo_merge(by=SYSTEM, merge_id=merged.pk)


def notification_for(user: User) -> Notification:
    """A notification of somebody's."""
    message = notifications.notify(by=SYSTEM, notice=Notice(title="Told", message="Something"), ids=[user.pk])
    return Notification.objects.get(message=message)


def noticed(staff: dict[str, User]) -> Message:
    """What an administrator sent."""
    return notifications.send(by=staff["admin"], notice=Notice(title="Notice", message="Something"), roles=["admin"])


def suspected() -> DuplicateCandidate:
    """Two records that may be one person's."""
    twice = [factories.register_patient(name, "Suspect", date(1970, 6, 7)) for name in ("Jon", "John")]
    patients.refresh_duplicate_candidates(by=SYSTEM, patient_id=twice[0].pk)
    return DuplicateCandidate.objects.get()


def parked() -> Delivery:
    """A fact that did not get through."""
    event = OutboxEvent.objects.create(name="patient.registered", payload={"patient_id": str(uuid4())}, relayed_at=timezone.now())
    return Delivery.objects.create(
        event=event, listener="apps.x.listeners.y", status=Delivery.Status.DEAD_LETTERED, attempts=5, last_error="no"
    )


def test_every_role_opens_exactly_its_pages(staff: dict[str, User], page_of: Callable[[str], Client]) -> None:
    wrong = []
    pages = addresses(staff)
    for role in staff:
        browser = page_of(role)
        for address, may in pages.items():
            status = browser.get(address).status_code
            expected = {200} if role in may else {403, 404}
            if status not in expected:
                wrong.append(f"{role}: {address} answered {status}")
    assert not wrong, "\n".join(wrong)


def test_a_stranger_is_shown_the_sign_in_page(staff: dict[str, User]) -> None:
    for address in addresses(staff):
        response = Client().get(address)
        assert response.status_code == 302, address
        assert response.headers["Location"].startswith("/admin/login/"), address


def test_no_page_of_the_admin_is_missing_here(staff: dict[str, User]) -> None:
    known = {get_resolver().resolve(address.split("?")[0]).url_name for address in addresses(staff)}
    models = [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]
    pages = {f"{model}_{page}" for model in models for page in ("changelist", "change")}
    pages |= {page.row_action_url_name(action) for page in admin.site._registry.values() for action in page.row_actions}
    assert pages - known <= {"patients_patient_reactivate", "accounts_user_reactivate"}


def test_every_page_of_a_model_has_our_base() -> None:
    assert all(isinstance(page, HimsModelAdmin) and page.resource and page.needs for page in admin.site._registry.values())


def test_a_page_that_declares_nothing_lets_nobody_in(staff: dict[str, User], rf: Any) -> None:
    request = rf.get("/")
    request.user = staff["admin"]
    page = HimsModelAdmin(User, admin.site)
    assert not any([page.has_view_permission(request), page.has_add_permission(request), page.has_change_permission(request)])


def test_nothing_can_be_deleted(staff: dict[str, User], page_of: Callable[[str], Client]) -> None:
    browser, patient = page_of("admin"), factories.register_patient()
    for model in admin.site._registry:
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_delete", args=[uuid4()])
    assert browser.post(f"/admin/patients/patient/{patient.pk}/delete/", {"post": "yes"}).status_code == 404
    body = {"action": "delete_selected", "_selected_action": [str(patient.pk)], "post": "yes"}
    browser.post(reverse("admin:patients_patient_changelist"), body)
    patient.refresh_from_db()


def test_the_navigation_names_only_what_one_may_open(page_of: Callable[[str], Client]) -> None:
    assert "accounts/user" not in page_of("receptionist").get("/admin/").content.decode()
    assert "accounts/user" in page_of("admin").get("/admin/").content.decode()
    manager = page_of("manager").get("/admin/").content.decode()
    assert "patients/patient" not in manager
    assert "hims-search" not in manager.replace("hims-search {", "")


def test_every_change_form_that_is_shown_is_a_row_of_the_trail(staff: dict[str, User], page_of: Callable[[str], Client]) -> None:
    browser = page_of("admin")
    pages = [address for address, may in addresses(staff).items() if address.endswith("/change/") and "admin" in may]
    assert len(pages) == 24
    for address in pages:
        before = set(AuditEvent.objects.values_list("pk", flat=True))
        browser.get(address)
        (row,) = AuditEvent.objects.exclude(pk__in=before)
        assert row.action.endswith(".read")
        assert (row.user_id, str(row.object_id), row.detail["door"]) == (staff["admin"].pk, address.split("/")[4], "admin")


def test_a_refused_page_is_on_record(staff: dict[str, User], page_of: Callable[[str], Client]) -> None:
    response = page_of("nurse").get(reverse("admin:accounts_user_add"))
    row = AuditEvent.objects.get(outcome="denied")
    assert response.status_code == 403
    assert "Your role doesn't include it" in response.content.decode()
    assert (row.user_id, row.action, row.detail["path"]) == (staff["nurse"].pk, "page.refused", "/admin/accounts/user/add/")


def test_an_address_that_leads_nowhere_is_a_404_page(page_of: Callable[[str], Client]) -> None:
    browser = page_of("admin")
    for address in (
        "/admin/nowhere/",
        f"/admin/patients/patient/{uuid4()}/change/",
        "/admin/patients/patient/abc/change/",
        "/admin/autocomplete/",
    ):
        response = browser.get(address)
        assert response.status_code == 404, address
        assert "Nothing was changed" in response.content.decode()


@pytest.mark.parametrize(
    "query", ["q=%00", "p=99999999999999999999", "p=x", "is_active__exact=%00", "x=1", "o=9.9", "all=", "q=" + "a" * 5000]
)
def test_a_nonsense_address_never_breaks_a_list(page_of: Callable[[str], Client], query: str) -> None:
    assert page_of("admin").get(f"/admin/patients/patient/?{query}").status_code in (200, 302, 400)


def test_a_deactivated_persons_next_page_is_refused(staff: dict[str, User], page_of: Callable[[str], Client]) -> None:
    browser = page_of("nurse")
    assert browser.get("/admin/").status_code == 200
    accounts.deactivate(by=staff["admin"], user_id=staff["nurse"].pk)
    assert browser.get("/admin/").headers["Location"].startswith("/admin/login/")


def test_a_new_role_ends_sessions_in_browsers_and_counts_from_the_next_one(
    staff: dict[str, User], page_of: Callable[[str], Client]
) -> None:
    browser, patient = page_of("nurse"), factories.register_patient()
    chart = f"{reverse('admin:patients_chartentry_changelist')}?patient={patient.pk}"
    assert browser.get(chart).status_code == 200
    accounts.change_staff(by=staff["admin"], user_id=staff["nurse"].pk, changes={"role": "receptionist"})
    assert browser.get(chart).headers["Location"].startswith("/admin/login/")
    assert page_of("nurse").get(chart).status_code == 403


def test_an_administrator_has_a_parked_delivery_tried_again(page_of: Callable[[str], Client]) -> None:
    browser, delivery = page_of("admin"), parked()
    listed = browser.get(reverse("admin:events_delivery_changelist") + "?status__exact=parked").content.decode()
    assert "patient.registered" in listed
    address = reverse("admin:events_delivery_try_again", args=[delivery.pk])
    assert browser.post(address).status_code == 302
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("pending", 0)
    assert AuditEvent.objects.filter(action="delivery.retried", object_id=delivery.pk).exists()
    assert "Only a dead-lettered delivery" in browser.post(address).content.decode()


def test_only_what_is_parked_is_tried_again() -> None:
    delivery = parked()
    events.retry_delivery(by=SYSTEM, delivery_id=delivery.pk)
    with pytest.raises(events.NotDeadLettered):
        events.retry_delivery(by=SYSTEM, delivery_id=delivery.pk)


def test_the_trail_is_found_by_person_act_and_patient(staff: dict[str, User], page_of: Callable[[str], Client]) -> None:
    browser, patient = page_of("admin"), factories.register_patient()
    page_of("nurse").get(reverse("admin:patients_patient_change", args=[patient.pk]))
    for text in ("nurse.ward", "patient.read", str(patient.pk), str(staff["nurse"].pk)):
        assert "patient.read" in browser.get(reverse("admin:audit_auditevent_changelist"), {"q": text}).content.decode(), text
    assert staff["admin"].has_permission(Permission.AUDIT_VIEW)
    history = browser.get(reverse("admin:patients_patient_history", args=[patient.pk])).content.decode()
    assert "nurse.ward" in history
    assert AuditEvent.objects.filter(action="patient.history_read", patient_id=patient.pk).count() == 1


def test_a_form_without_its_csrf_token_is_refused_with_a_plain_page() -> None:
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x", "password": "y"})
    assert response.status_code == 403
    assert "This form is no longer valid" in response.content.decode()


def test_an_error_of_ours_is_a_plain_page_without_a_trace(
    page_of: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*args: Any) -> None:
        raise RuntimeError("secret detail")

    browser = page_of("admin")
    browser.raise_request_exception = False
    monkeypatch.setattr(HimsModelAdmin, "record_list_access", break_down)
    response = browser.get(reverse("admin:accounts_user_changelist"))
    assert response.status_code == 500
    assert "Something went wrong on our side" in response.content.decode()
    assert "secret detail" not in response.content.decode()


def test_times_on_the_pages_are_the_clinics(page_of: Callable[[str], Client], settings: Any) -> None:
    settings.CLINIC_TIME_ZONE = "Asia/Tokyo"
    page = page_of("admin").get(reverse("admin:audit_auditevent_changelist")).content.decode()
    assert 'data-admin-utc-offset="32400"' in page
