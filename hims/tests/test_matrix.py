"""Who may call what (`tests/contract.py` of the apps), replayed over HTTP as every role, with rows that exist."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from apps.access.tests.role_table import ROLES, Samples
from apps.accounts.models import User
from apps.appointments import services as appointments
from apps.common.tests.shared_rows import shared_rows
from apps.desk.patients.trends import TRENDS
from apps.developers.pages import urls as developers
from apps.patients.tests.contract import samples_about
from apps.rest import endpoint
from apps.rest.endpoint import PUBLIC
from hims.tests import contracts, factories
from hims.tests.contracts import MATRIX, PUBLIC_OPERATIONS, address_of, cells
from hims.tests.test_permissions import doors

pytestmark = pytest.mark.django_db

OPEN_ONLY_IN_A_SANDBOX = "/sandbox/"


def row_of(path: str, method: str) -> str:
    """`GET /patients/{id}` of Django's route."""
    plain = path.removeprefix("v1").replace("<str:pk>", "{id}")
    while "<" in plain:
        before, _, rest = plain.partition("<")
        name, _, after = rest.partition(">")
        plain = f"{before}{{{name.rpartition(':')[2]}}}{after}"
    return f"{method.upper()} {plain}"


def calls() -> Iterator[tuple[str, Any]]:
    """Row and view of everything that can be called, signing out last."""
    declared_calls = [(row_of(path, method), (view, action)) for path, method, action, view in doors()]
    yield from sorted(declared_calls, key=lambda call: call[0] == "POST /auth/logout")


def test_every_route_has_a_row() -> None:
    without = [
        row
        for row, (view, action) in calls()
        if endpoint.of(view, action).permission is not PUBLIC and row not in MATRIX and OPEN_ONLY_IN_A_SANDBOX not in row
    ]
    assert not without, "\n".join(without)
    public = {row for row, (view, action) in calls() if endpoint.of(view, action).permission is PUBLIC}
    assert {row for row in public if "nowhere" not in row and "{path}" not in row and "<" not in row} <= PUBLIC_OPERATIONS


class TestRowsOfAllApps:
    """The tests share the sample rows, which take longer to create than a role takes to call everything."""

    @pytest.fixture(scope="class")
    def staff(self, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, User]]:
        with shared_rows(django_db_blocker):
            yield factories.create_staff()

    @pytest.fixture(scope="class")
    def rows(self, staff: dict[str, User]) -> Samples:
        return contracts.samples(staff)

    @pytest.mark.parametrize("admin_clinical", [True, False])
    @pytest.mark.parametrize("role", ROLES)
    def test_every_role_is_let_in_where_the_contract_says(
        self, staff: dict[str, User], rows: Samples, settings: Any, role: str, admin_clinical: bool
    ) -> None:
        settings.HIMS_ADMIN_CLINICAL = admin_clinical
        who, wrong = factories.api_client(staff[role]), []
        for row, (view, action) in calls():
            if endpoint.of(view, action).permission is PUBLIC or row not in MATRIX:
                continue
            known, cell = rows.knows(row), cells(row, admin_clinical=admin_clinical)[role]
            status = who.call(
                row.partition(" ")[0], address_of(row, rows), rows.bodies.get(row, None if known else {})
            ).status_code
            fine = {200, 201, 202, 204, 409} | (
                {404} if cell in "or" or row.startswith(("GET /doctors/", "POST /auth", "DELETE")) else set()
            )
            if not known:
                fine |= {400, 401, 404}
            if (cell == "-") != (status == 403) or (cell != "-" and status not in fine):
                wrong.append(f"{row} answered {status}, the contract says {cell}")
        assert not wrong, f"{role}:\n" + "\n".join(wrong)

    # The pages obey the same table

    @pytest.mark.parametrize("admin_clinical", [True, False])
    @pytest.mark.parametrize("role", ROLES)
    def test_every_page_of_a_patient_opens_to_the_roles_of_its_twin_in_the_api(
        self, staff: dict[str, User], rows: Samples, settings: Any, role: str, admin_clinical: bool
    ) -> None:
        settings.HIMS_ADMIN_CLINICAL = admin_clinical
        browser, wrong = factories.browser(staff[role]), []
        assert len(rows.twins) > 40
        for address, row in rows.twins.items():
            status, cell = browser.get(address).status_code, cells(row, admin_clinical=admin_clinical)[role]
            if (status == 200) != (cell != "-") or status not in (200, 403, 404):
                wrong.append(f"{address} answered {status}, the contract says {cell}")
        assert not wrong, f"{role}:\n" + "\n".join(wrong)


def test_the_pages_for_developers_are_everybodys(staff: dict[str, User]) -> None:
    pages = [reverse(str(page.name)) for page in developers.urlpatterns]
    assert len(pages) >= 5
    for browser in (Client(), factories.browser(staff["nurse"])):
        assert {browser.get(page).status_code for page in pages} == {200}


# Closed charts, over every route


def test_every_route_about_a_patient_says_so() -> None:
    """`about_patient` names the actions whose path is a patient's: refusals are noted there, and the next test walks them."""
    silent = [
        f"{method} {path}"
        for path, method, action, view in doors()
        if path.startswith("v1/patients/<str:pk>") and not endpoint.of(view, action).about_patient
    ]
    assert not silent, "\n".join(silent)


# These reply to users who may decide, review or break in, even if the chart is closed.
OUTSIDE_THE_CHART = {"PUT /patients/{id}/restricted", "GET /patients/{id}/access-log", "POST /patients/{id}/break-glass"}


def test_every_route_about_a_closed_chart_answers_404_to_users_outside_the_team(staff: dict[str, User]) -> None:
    closed, other = factories.register_patient("Dora", "Hale"), factories.register_patient("Ann", "Roe")
    entry, old = factories.chart(closed, "allergy", "Penicillin"), factories.register_patient("Theo", "Hale")
    factories.merge(old, closed)
    factories.restrict(closed)
    wrong, walked = [], 0
    for role in ROLES:
        who = factories.api_client(staff[role])
        for row, (view, action) in calls():
            need = endpoint.of(view, action).permission
            if not endpoint.of(view, action).about_patient or row in OUTSIDE_THE_CHART or not staff[role].has_permission(need):
                continue
            for patient in (closed, old):
                about = samples_about(patient, other=other, closed=patient, entry=entry)
                assert about.knows(row), f"the contract of patients has no body for {row}"
                address, body = about.address(row), about.bodies.get(row)
                status, walked = who.call(row.partition(" ")[0], address, body).status_code, walked + 1
                if status != 404:
                    wrong.append(f"{role}: {row} answered {status}")
    assert walked > 60
    assert not wrong, "\n".join(wrong)
    closed.refresh_from_db()
    assert (closed.restricted, closed.is_active, closed.insurance_provider) == (True, True, "")


# The search text where the list of patients repeats it: the offer to register a person of that name, and its form.
TYPED_BY_THE_USER = ("Register “Zabriskie”", 'value="Zabriskie"')


def test_no_page_shows_a_closed_chart_to_users_outside_the_team(staff: dict[str, User]) -> None:
    closed, near = factories.register_patient("Dora", "Zabriskie"), factories.register_patient("Dora", "Zabrisky")
    entry = factories.chart(closed, "allergy", "Penicillin")
    old = factories.register_patient("Dorothy", "Zabriskie")
    merged = factories.merge(old, closed)
    visit = factories.book(closed, factories.hire("patel", "doctor", specialty="Cardiology"))
    appointments.check_in(by=staff["admin"], appointment_id=visit.pk, early=True)
    factories.restrict(closed)
    pages = {reverse("admin:patients_patient_changelist"), reverse("admin:patients_merge_changelist")}
    pages |= {f"{reverse('admin:patients_patient_changelist')}?q={text}" for text in ("zabriskie", "dora", closed.mrn, old.mrn)}
    pages |= {reverse("admin:patients_patient_change", args=[near.pk])}
    pages |= {reverse("admin:appointments_appointment_changelist"), f"{reverse('admin:schedule')}?date={factories.at().date()}"}
    pages |= {reverse("admin:appointments_appointment_changelist") + "?q=zabriskie", reverse("admin:queue")}
    pages |= {reverse("admin:index"), reverse("admin:dashboard"), f"{reverse('admin:find')}?q=zabriskie"}
    gone = {
        reverse(f"admin:patients_patient_{page}", args=[row.pk])
        for row in (closed, old)
        for page in ("change", "summary", "visits", "appointments", "details", "merge", "not_same")
    }
    gone |= {reverse("admin:patients_patient_trend", args=[closed.pk, slug]) for slug in TRENDS}
    gone |= {
        reverse("admin:patients_patient_history", args=[closed.pk]),
        reverse("admin:patients_merge_change", args=[merged.pk]),
        reverse("admin:appointments_appointment_change", args=[visit.pk]),
        reverse("admin:appointments_appointment_cancel", args=[visit.pk]),
        f"{reverse('admin:appointments_appointment_add')}?patient={closed.pk}",
    }
    gone |= {reverse("admin:patients_chartentry_change", args=[entry.pk])}
    gone |= {f"{reverse('admin:patients_chartentry_changelist')}?patient={row.pk}" for row in (closed, old)}
    for role in ("admin", "manager", "doctor", "nurse", "receptionist", "billing"):
        browser = factories.browser(staff[role])
        for page in pages | gone:
            response = browser.get(page)
            text = response.content.decode()
            for echo in TYPED_BY_THE_USER if page.endswith("?q=zabriskie") else ():
                text = text.replace(echo, "")
            assert "Zabriskie" not in text, f"{role}: {page}"
            assert page in gone or str(closed.pk) not in text, f"{role}: {page}"
            assert page in pages or response.status_code in (403, 404), f"{role}: {page}"
