"""A link is shown only to users who may open its page."""

from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.appointments import services as appointments
from apps.appointments.tests.factories import book, room
from apps.desk.kit import links
from apps.notifications.tests.factories import tell
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

ABSENT = "00000000-0000-4000-8000-000000000007"


def opened(user: User, *addresses: str) -> set[str]:
    request = RequestFactory().get("/admin/")
    request.user = user
    return links.openable(request, addresses)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/lab/results/123",
        "/admin/nowhere/",
        "/admin/patients/patient/x/change/",
        f"/admin/patients/patient/{ABSENT}/change/",
    ],
)
def test_an_address_without_a_page_is_not_openable(staff: dict[str, User], address: str) -> None:
    assert opened(staff["admin"], address) == set()


@pytest.mark.parametrize(
    ("name", "may", "may_not"),
    [
        ("index", "pharmacist", None),
        ("second_factor", "billing", None),
        ("schedule", "receptionist", "pharmacist"),
        ("queue", "nurse", "billing"),
        ("accounts_user_changelist", "admin", "nurse"),
        ("patients_patient_add", "receptionist", "lab_technician"),
    ],
)
def test_a_page_is_openable_with_its_permission(staff: dict[str, User], name: str, may: str, may_not: str | None) -> None:
    address = reverse(f"admin:{name}")
    assert opened(staff[may], address) == {address}
    if may_not is not None:
        assert opened(staff[may_not], address) == set()


def test_the_page_of_a_restricted_patient_is_openable_for_the_care_team_alone(staff: dict[str, User]) -> None:
    patient = register_patient()
    restrict(patient, staff["doctor"])
    address = f"{reverse('admin:patients_patient_change', args=[patient.pk])}?from=inbox"
    assert opened(staff["doctor"], address) == {address}
    assert opened(staff["nurse"], address) == set()


def test_many_addresses_of_one_model_cost_one_query(staff: dict[str, User], django_assert_num_queries: Any) -> None:
    addresses = [reverse("admin:patients_patient_change", args=[register_patient(f"Ann{number}").pk]) for number in range(5)]
    with django_assert_num_queries(1):
        assert opened(staff["nurse"], *addresses) == {*addresses}


def test_a_finished_visit_links_staff_and_room_only_for_users_who_may_open_them(staff: dict[str, User]) -> None:
    place = room()
    row = book(register_patient(), staff["doctor"], room_id=place.pk)
    appointments.cancel(by=staff["admin"], appointment_id=row.pk)
    page = reverse("admin:appointments_appointment_change", args=[row.pk])
    targets = [
        reverse("admin:accounts_user_change", args=[staff["doctor"].pk]),
        reverse("admin:appointments_room_change", args=[place.pk]),
    ]
    for role, shown in (("admin", True), ("billing", False)):
        text = browser(staff[role]).get(page).content.decode()
        assert str(place) in text
        assert [f'href="{target}"' in text for target in targets] == [shown, shown]


def test_a_notification_shows_a_link_only_if_its_page_exists_for_the_reader(staff: dict[str, User]) -> None:
    for address in ("/lab/results/123", "/admin/accounts/user/", "/admin/queue/"):
        tell(staff["nurse"], action_url=address)
    text = browser(staff["nurse"]).get("/admin/notifications/notification/").content.decode()
    assert "/lab/results/123" not in text
    assert 'href="/admin/accounts/user/">Open' not in text
    assert 'href="/admin/queue/">Open' in text
