"""Every page of the admin, as every role: `access` determines who gets in, and every view is audited."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from apps.access.actor import SYSTEM
from apps.access.tests.role_table import EVERY_ROLE
from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.audit.rights import Permission
from apps.desk.kit.base import HimsModelAdmin
from apps.events import services as events
from apps.events.tests.contract import dead_lettered
from hims.tests import factories
from hims.tests.contracts import staff_pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def page_of(staff: dict[str, User]) -> Callable[[str], Client]:
    """A user's signed-in browser, by role."""

    def open_browser(role: str) -> Client:
        return factories.browser(staff[role])

    return open_browser


def addresses(staff: dict[str, User]) -> dict[str, frozenset[str]]:
    """The start page and the pages of the apps, with the roles that may open each (HIMS_ADMIN_CLINICAL is on in tests)."""
    return {reverse("admin:index"): EVERY_ROLE, **staff_pages(staff)}


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


def test_a_page_that_declares_nothing_is_closed_to_all(staff: dict[str, User], rf: Any) -> None:
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
    assert "accounts/apikey" not in page_of("manager").get("/admin/").content.decode()


def test_every_change_form_that_is_shown_is_a_row_of_the_trail(staff: dict[str, User], page_of: Callable[[str], Client]) -> None:
    browser = page_of("admin")
    pages = [address for address, may in addresses(staff).items() if address.endswith("/change/") and "admin" in may]
    assert len(pages) == 27
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


def test_a_refused_address_with_a_null_character_is_on_record_too(page_of: Callable[[str], Client]) -> None:
    response = page_of("nurse").get("/admin/patients/duplicatecandidate/a%00b/ask-merge/")
    assert response.status_code == 403
    assert AuditEvent.objects.get(outcome="denied").detail["path"] == "/admin/patients/duplicatecandidate/a%00b/ask-merge/"


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


def test_an_administrator_has_a_dead_lettered_delivery_tried_again(page_of: Callable[[str], Client]) -> None:
    browser, delivery = page_of("admin"), dead_lettered()
    listed = browser.get(reverse("admin:events_delivery_changelist") + "?state=failed").content.decode()
    assert "Registered the patient" in listed
    assert "patient.registered" not in listed
    address = reverse("admin:events_delivery_try_again", args=[delivery.pk])
    assert browser.post(address).status_code == 302
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("pending", 0)
    assert AuditEvent.objects.filter(action="delivery.retried", object_id=delivery.pk).exists()
    assert "Only a failed delivery" in browser.post(address).content.decode()


def test_only_what_is_dead_lettered_is_tried_again() -> None:
    delivery = dead_lettered()
    events.retry_delivery(by=SYSTEM, delivery_id=delivery.pk)
    with pytest.raises(events.NotDeadLettered):
        events.retry_delivery(by=SYSTEM, delivery_id=delivery.pk)


def test_the_trail_is_found_by_person_act_and_patient(staff: dict[str, User], page_of: Callable[[str], Client]) -> None:
    browser, patient = page_of("admin"), factories.register_patient()
    page_of("nurse").get(reverse("admin:patients_patient_change", args=[patient.pk]))
    for text in ("nurse.ward", "patient.read", str(patient.pk), str(staff["nurse"].pk)):
        page = browser.get(reverse("admin:audit_auditevent_changelist"), {"q": text}).content.decode()
        assert "Opened the patient’s record" in page, text
    assert staff["admin"].has_permission(Permission.AUDIT_VIEW)
    history = browser.get(reverse("admin:patients_patient_history", args=[patient.pk])).content.decode()
    assert staff["nurse"].full_name in history
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
