"""Who may call what (`matrix`), replayed over HTTP as every role, with things that are there."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.appointments import services as appointments
from apps.appointments.models import BulkReschedule
from apps.appointments.scheduling.recurrence import Rhythm
from apps.developers.pages import urls as developers
from apps.notifications import services as notifications
from apps.notifications.services import Notice
from apps.patients.models import ChartEntry, Patient
from apps.rest import endpoint
from apps.rest.endpoint import PUBLIC
from hims.tests import factories
from hims.tests.matrix import MATRIX, ROLES
from hims.tests.test_permissions import doors

pytestmark = pytest.mark.django_db

PUBLIC_ROWS = {
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/password/forgot",
    "POST /auth/password/reset",
    "GET /version",
    "GET /openapi.json",
    "GET /openapi.yaml",
    "GET /doctors/{id}/calendar.ics",  # its address carries the secret
}
OPEN_ONLY_IN_A_SANDBOX = "/sandbox/"

# Which kinds of chart entry a role reads, and writes (same row of the contract, its brackets). The administrator: all, or none.
ALL = {"allergy", "medication", "diagnosis", "procedure", "immunization", "lab_result", "vital_sign", "note"}
READS = {
    "doctor": ALL,
    "nurse": ALL,
    "pharmacist": {"allergy", "medication", "diagnosis"},
    "lab_technician": {"lab_result", "allergy"},
    "billing": {"diagnosis", "procedure"},
}
WRITES = {"doctor": ALL, "nurse": ALL, "pharmacist": {"allergy"}}

# What a reader's role leaves out of a patient ("r on patients").
WHOLE = {
    "id",
    "mrn",
    "is_active",
    "demographics",
    "contact",
    "contact.address",
    "emergency_contact",
    "insurance",
    "allergy_status",
    "created_at",
    "updated_at",
}
_NO_PAPERS = {"contact.address", "emergency_contact", "insurance"}
LEFT_OUT = {
    "doctor": set[str](),
    "nurse": set[str](),
    "receptionist": {"allergy_status"},
    "pharmacist": _NO_PAPERS,
    "lab_technician": _NO_PAPERS,
    "billing": {"emergency_contact", "allergy_status"},
}
EIGHT = {"id", "mrn", "first_name", "last_name", "date_of_birth", "phone", "email", "is_active"}


class Scene(NamedTuple):
    """What the calls are about: a patient with an allergy, a twin, a closed chart, a merge."""

    patient: Patient
    twin: Patient
    closed: Patient
    entry: ChartEntry
    merge_id: str
    nurse_id: str = ""
    key_id: str = ""
    sent_id: str = ""
    doctor_id: str = ""
    visit_id: str = ""
    off_id: str = ""
    consultation_id: str = ""
    series_id: str = ""
    move_id: str = ""
    waits_id: str = ""

    def id_for(self, path: str) -> str:
        """Whose `{id}` it is, where it is not a patient's."""
        kinds = {
            "/patients/merges/": self.merge_id,
            "/users/": self.nurse_id,
            "/api-keys/": self.key_id,
            "/notifications/sent/": self.sent_id,
            "/doctors/": self.doctor_id,
            "/appointments/series/": self.series_id,
            "/appointments/moves/": self.move_id,
            "/appointments/": self.visit_id,
            "/consultations/": self.consultation_id,
            "/waitlist/": self.waits_id,
        }
        return next((one for start, one in kinds.items() if path.startswith(start)), "")


@pytest.fixture
def scene(staff: dict[str, User]) -> Scene:
    details = {"street": "1 A St", "emergency_name": "Jane", "insurance_provider": "Blue", "phone": "+1-555-0123"}
    patient, twin, closed = (
        factories.register_patient(**details),
        factories.register_patient("Ann", "Roe"),
        factories.register_patient("Dora", "Hale"),
    )
    merged = factories.merge(factories.register_patient("Bea", "Lee"), factories.register_patient("Cora", "Lee"))
    factories.restrict(closed, staff["lab_technician"])
    key = factories.create_api_key(staff["nurse"]).key
    sent = notifications.send(by=staff["admin"], notice=Notice(title="Notice", message="Something"), roles=["admin"])
    entry = factories.chart(patient, "allergy", "Penicillin")
    doctor = staff["doctor"]
    visit = factories.book(patient, doctor)
    off = appointments.add_time_off(
        by=staff["admin"], doctor_id=doctor.pk, starts_at=factories.at(), ends_at=factories.at("11:00")
    )
    weekly = appointments.NewAppointment(patient_id=twin.pk, doctor_id=doctor.pk, scheduled_time=factories.at("16:00"))
    series = appointments.book_series(by=staff["admin"], new=appointments.NewSeries(first=weekly, rhythm=Rhythm(count=2))).series
    move = BulkReschedule.objects.create(doctor=doctor, starts_at=off.starts_at, ends_at=off.ends_at, reason="Ill")
    others = {"merge_id": merged, "nurse_id": staff["nurse"], "key_id": key, "sent_id": sent, "doctor_id": doctor}
    others |= {"visit_id": visit, "off_id": off, "series_id": series, "move_id": move}
    waits = appointments.NewWaitlistEntry(patient_id=twin.pk, date_to=factories.at().date(), appointment_type="lab")
    others |= {"waits_id": appointments.add_to_waitlist(by=staff["admin"], new=waits)}
    others |= {"consultation_id": factories.start_consultation(doctor, patient).row}
    ids = {name: str(row.pk) for name, row in others.items()}
    return Scene(patient, twin, closed, entry, **ids)


def row_of(path: str, method: str) -> str:
    """`GET /patients/{id}` of Django's route."""
    plain = path.removeprefix("v1").replace("<str:pk>", "{id}")
    while "<" in plain:
        before, _, rest = plain.partition("<")
        name, _, after = rest.partition(">")
        plain = f"{before}{{{name.rpartition(':')[2]}}}{after}"
    return f"{method.upper()} {plain}"


def cells(row: str, *, admin_clinical: bool) -> dict[str, str]:
    words = dict(zip(ROLES, MATRIX[row].split(), strict=True))
    return {role: ("y" if admin_clinical else "-") if word == "c" else word for role, word in words.items()}


def calls() -> Iterator[tuple[str, Any]]:
    """Row and view of everything that can be called, signing out last."""
    declared_calls = [(row_of(path, method), (view, action)) for path, method, action, view in doors()]
    yield from sorted(declared_calls, key=lambda call: call[0] == "POST /auth/logout")


def request_for(row: str, scene: Scene) -> tuple[str, Any] | None:
    """Path and body that say something about what is there; None where this table knows no body for the route."""
    person = {"first_name": "Eve", "last_name": "Hart", "date_of_birth": "1970-01-01", "gender": "female"}
    why = "A reason that is long enough"
    bodies: dict[str, Any] = {
        "POST /auth/logout": {},
        "POST /patients": person,
        "POST /patients/match": person,
        "PUT /patients/{id}": {"insurance": {"provider": "Blue"}},
        "PATCH /patients/{id}": {"insurance": {"provider": "Cross"}},
        "POST /patients/{id}/deactivate": None,
        "POST /patients/{id}/reactivate": None,
        "POST /patients/{id}/not-same": {"other_id": str(scene.twin.pk)},
        "POST /patients/{id}/merge": {"into": str(scene.twin.pk), "reason": why},
        "POST /patients/merges/{id}/undo": None,
        "PUT /patients/{id}/restricted": {"restricted": True, "care_team": [], "reason": why},
        "POST /patients/{id}/break-glass": {"reason": why},
        "POST /patients/break-glass": {"mrn": scene.closed.mrn, "reason": why},
        "PUT /doctors/{id}/schedule": {"hours": []},
        "POST /doctors/{id}/time-off": {"starts_at": "2026-01-05", "ends_at": "2026-01-05"},
        "DELETE /doctors/{id}/time-off/{time_off}": None,
        "POST /appointments": {
            "patient_id": str(scene.twin.pk),
            "doctor_id": scene.doctor_id,
            "scheduled_time": factories.at("15:00").isoformat(),
        },
        "PUT /appointments/{id}": {"notes": "x"},
        "PATCH /appointments/{id}": {"notes": "y"},
        "DELETE /appointments/{id}": None,
        "POST /appointments/{id}/cancel": None,
        "POST /appointments/{id}/confirm": None,
        "POST /appointments/{id}/check-in": None,
        "POST /appointments/{id}/undo-check-in": None,
        "POST /appointments/{id}/no-show": None,
        "POST /appointments/series": {
            "patient_id": str(scene.twin.pk),
            "doctor_id": scene.doctor_id,
            "scheduled_time": factories.at("17:00").isoformat(),
            "occurrences": 2,
        },
        "POST /appointments/series/{id}/cancel": {},
        "POST /doctors/{id}/move-appointments": {"date_from": "2026-01-05", "date_to": "2026-01-05", "reason": why},
        "POST /appointments/moves/{id}/undo": None,
        "POST /doctors/{id}/calendar-feed": None,
        "DELETE /doctors/{id}/calendar-feed": None,
        "POST /waitlist": {"patient_id": str(scene.twin.pk), "date_to": str(factories.at().date())},
        "DELETE /waitlist/{id}": None,
        "POST /waitlist/{id}/accept": {},
        "POST /waitlist/{id}/decline": {},
        "POST /patients/{id}/medical-history": {"type": "allergy", "display": "Latex"},
        "POST /patients/{id}/medical-history/{entry}/retract": {"reason": why},
        "POST /consultations": {"patient_id": str(scene.patient.pk), "doctor_id": scene.doctor_id},
        "PUT /consultations/{id}/step": {"step_number": 0, "step_data": {"identity_confirmed": True}},
        "POST /consultations/{id}/complete": {},
        "POST /consultations/{id}/addenda": {"text": why},
        "POST /consultations/{id}/hold": {"reason": why},
        "POST /consultations/{id}/resume": {},
        "POST /consultations/{id}/cancel": {"reason": why},
        "POST /consultations/{id}/ready": {},
        "POST /consultations/{id}/hand-over": {"doctor_id": scene.doctor_id},
    }
    method, _, path = row.partition(" ")
    about = (
        scene.closed
        if path.endswith(("/restricted", "/break-glass"))
        else scene.twin
        if path.endswith("/merge")
        else scene.patient
    )
    at = scene.id_for(path) or str(about.pk)
    path = path.replace("{id}", at).replace("{entry}", str(scene.entry.pk)).replace("{time_off}", scene.off_id)
    if path.endswith("/merge"):
        bodies[row]["into"] = str(scene.patient.pk)
    if path.endswith("/merge-preview"):
        path += f"?into={scene.twin.pk}"
    if method != "GET" and row not in bodies:
        return None
    return path, bodies.get(row)


def test_every_route_has_a_row() -> None:
    without = [
        row
        for row, (view, action) in calls()
        if endpoint.of(view, action).permission is not PUBLIC and row not in MATRIX and OPEN_ONLY_IN_A_SANDBOX not in row
    ]
    assert not without, "\n".join(without)
    public = {row for row, (view, action) in calls() if endpoint.of(view, action).permission is PUBLIC}
    assert {row for row in public if "nowhere" not in row and "{path}" not in row and "<" not in row} <= PUBLIC_ROWS


@pytest.mark.parametrize("admin_clinical", [True, False])
@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_let_in_where_the_contract_says(
    staff: dict[str, User], scene: Scene, settings: Any, role: str, admin_clinical: bool
) -> None:
    settings.HIMS_ADMIN_CLINICAL = admin_clinical
    who, wrong = factories.api_client(staff[role]), []
    for row, (view, action) in calls():
        if endpoint.of(view, action).permission is PUBLIC or row not in MATRIX:
            continue
        known, cell = request_for(row, scene), cells(row, admin_clinical=admin_clinical)[role]
        method, _, path = row.partition(" ")
        address, body = known or (path.replace("{id}", str(scene.patient.pk)), {})
        status = who.call(method, address, body).status_code
        fine = {200, 201, 202, 204, 409} | (
            {404} if cell in "or" or row.startswith(("GET /doctors/", "POST /auth", "DELETE")) else set()
        )
        if known is None:
            fine |= {400, 401, 404}
        if (cell == "-") != (status == 403) or (cell != "-" and status not in fine):
            wrong.append(f"{row} answered {status}, the contract says {cell}")
    assert not wrong, f"{role}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("admin_clinical", [True, False])
def test_every_role_reads_and_writes_its_kinds_of_entry(
    staff: dict[str, User], scene: Scene, settings: Any, admin_clinical: bool
) -> None:
    settings.HIMS_ADMIN_CLINICAL = admin_clinical
    admins = {"admin": ALL} if admin_clinical else {}
    for role in ROLES:
        who, path = factories.api_client(staff[role]), f"/patients/{scene.patient.pk}/medical-history"
        reads = {kind for kind in ALL if who.get(f"{path}?type={kind}").status_code == 200}
        writes = {kind for kind in ALL if who.post(path, {"type": kind, "display": "x"}).status_code == 201}
        assert (reads, writes) == ((READS | admins).get(role, set()), (WRITES | admins).get(role, set())), role


# Reduced


def keys(patient: dict[str, Any]) -> set[str]:
    return set(patient) | ({"contact.address"} if "address" in patient["contact"] else set())


@pytest.mark.parametrize("role", sorted(LEFT_OUT))
def test_each_role_sees_exactly_its_part_of_a_patient_wherever_one_is_answered(
    staff: dict[str, User], scene: Scene, role: str
) -> None:
    who, address, part = factories.api_client(staff[role]), f"/patients/{scene.patient.pk}", WHOLE - LEFT_OUT[role]
    assert keys(who.get(address).json()["data"]["patient"]) == part
    assert {frozenset(row) for row in who.get("/patients").json()["data"]["patients"]} == {frozenset(EIGHT)}
    assert {frozenset(row) for row in who.get("/patients?search=doe").json()["data"]["patients"]} == {frozenset(EIGHT)}
    changed = who.put(address, {"insurance": {"provider": "Red"}})
    if changed.status_code == 200:
        assert keys(changed.json()["data"]["patient"]) == part
        assert who.call("PATCH", address, {"insurance": {"provider": "Blue"}}).json()["data"]["patient"].keys() <= part
    body = {"first_name": "John", "last_name": "Doe", "date_of_birth": "1980-05-15", "gender": "male"}
    registered = who.post("/patients", body)
    if registered.status_code == 201:
        assert keys(registered.json()["data"]["patient"]) == part
        warned = registered.json()["warnings"][0]["patients"]
        candidates = [row["patient"] for row in who.post("/patients/match", body).json()["data"]["candidates"]]
        assert {frozenset(row) for row in [*warned, *candidates]} == {frozenset(EIGHT)}
    if role == "receptionist":
        assert keys(who.post(f"{address}/deactivate").json()["data"]["patient"]) == part


def test_the_administrator_sees_the_allergy_status_where_he_acts_clinically(
    staff: dict[str, User], scene: Scene, settings: Any
) -> None:
    for admin_clinical, part in ((True, WHOLE), (False, WHOLE - {"allergy_status"})):
        settings.HIMS_ADMIN_CLINICAL = admin_clinical
        assert keys(factories.api_client(staff["admin"]).get(f"/patients/{scene.patient.pk}").json()["data"]["patient"]) == part


def test_billing_reads_codes_and_no_narrative(staff: dict[str, User], scene: Scene) -> None:
    coded = factories.chart(scene.patient, code_system="ICD-10-CM", code="I10", detail={"note": "drinks"})
    factories.chart(scene.patient, display="Drinks too much")
    path = f"/patients/{scene.patient.pk}/medical-history"
    billing = factories.api_client(staff["billing"])
    (row,) = billing.get(path).json()["data"]["records"]
    assert (row["id"], row["detail"]) == (str(coded.pk), {})
    assert billing.get(f"{path}/{scene.entry.pk}").status_code == 404
    page = factories.browser(staff["billing"]).get(reverse("admin:patients_chartentry_change", args=[coded.pk])).content.decode()
    assert "drinks" not in page


@pytest.mark.parametrize("role", sorted(LEFT_OUT))
def test_the_page_of_a_patient_shows_the_same_part(staff: dict[str, User], scene: Scene, role: str) -> None:
    page = factories.browser(staff[role]).get(reverse("admin:patients_patient_change", args=[scene.patient.pk])).content.decode()
    shown = {"contact.address": "1 A St", "emergency_contact": "Jane", "insurance": "Blue", "allergy_status": "ALLERGIES"}
    assert {part for part, words in shown.items() if words not in page} == LEFT_OUT[role]


# The pages obey the same table


@pytest.mark.parametrize("admin_clinical", [True, False])
@pytest.mark.parametrize("role", ROLES)
def test_every_page_of_a_patient_opens_to_the_roles_of_its_twin_in_the_api(
    staff: dict[str, User], scene: Scene, settings: Any, role: str, admin_clinical: bool
) -> None:
    settings.HIMS_ADMIN_CLINICAL = admin_clinical
    browser, wrong, at = factories.browser(staff[role]), [], [scene.patient.pk]
    waits = factories.book(scene.twin, staff["doctor"], factories.at("13:00"))
    appointments.check_in(by=staff["admin"], appointment_id=waits.pk, early=True)
    twins = {
        reverse("admin:patients_patient_changelist"): "GET /patients",
        reverse("admin:patients_patient_change", args=at): "GET /patients/{id}",
        reverse("admin:patients_patient_add"): "POST /patients",
        reverse("admin:patients_patient_deactivate", args=at): "POST /patients/{id}/deactivate",
        reverse("admin:patients_patient_not_same", args=at): "POST /patients/{id}/not-same",
        reverse("admin:patients_patient_merge", args=at): "POST /patients/{id}/merge",
        reverse("admin:patients_merge_change", args=[scene.merge_id]): "GET /patients/merges/{id}",
        reverse("admin:patients_merge_undo", args=[scene.merge_id]): "POST /patients/merges/{id}/undo",
        reverse("admin:patients_patient_restrict", args=at): "PUT /patients/{id}/restricted",
        reverse("admin:patients_patient_break_glass"): "POST /patients/break-glass",
        reverse("admin:patients_patient_history", args=at): "GET /patients/{id}/access-log",
        reverse("admin:patients_restriction_changelist"): "PUT /patients/{id}/restricted",
        reverse("admin:audit_auditevent_changelist"): "GET /audit-events",
        reverse("admin:accounts_user_changelist"): "GET /users",
        reverse("admin:accounts_doctor_changelist"): "GET /doctors",
        f"{reverse('admin:patients_chartentry_changelist')}?patient={at[0]}": "GET /patients/{id}/medical-history",
        f"{reverse('admin:patients_chartentry_add')}?patient={at[0]}&type=allergy": "POST /patients/{id}/medical-history",
        reverse(
            "admin:patients_chartentry_retract", args=[scene.entry.pk]
        ): "POST /patients/{id}/medical-history/{entry}/retract",
        reverse("admin:appointments_appointment_changelist"): "GET /appointments",
        reverse("admin:appointments_appointment_change", args=[scene.visit_id]): "GET /appointments/{id}",
        f"{reverse('admin:appointments_appointment_add')}?patient={at[0]}": "POST /appointments",
        reverse("admin:appointments_appointment_confirm", args=[scene.visit_id]): "POST /appointments/{id}/confirm",
        reverse("admin:appointments_appointment_check_in", args=[scene.visit_id]): "POST /appointments/{id}/check-in",
        reverse("admin:appointments_appointment_undo_check_in", args=[waits.pk]): "POST /appointments/{id}/undo-check-in",
        reverse("admin:appointments_appointment_cancel", args=[scene.visit_id]): "POST /appointments/{id}/cancel",
        reverse("admin:appointments_appointment_triage", args=[scene.visit_id]): "PUT /appointments/{id}",
        reverse("admin:queue"): "GET /queue",
        reverse("admin:appointments_room_changelist"): "GET /rooms",
        reverse("admin:appointments_doctorschedule_add"): "PUT /doctors/{id}/schedule",
        reverse("admin:appointments_doctorschedule_changelist"): "GET /doctors/{id}/schedule",
        reverse("admin:appointments_timeoff_changelist"): "GET /doctors/{id}/time-off",
        reverse("admin:appointments_timeoff_change", args=[scene.off_id]): "GET /doctors/{id}/time-off/{time_off}",
        reverse("admin:appointments_timeoff_add"): "POST /doctors/{id}/time-off",
        reverse("admin:appointments_timeoff_remove", args=[scene.off_id]): "DELETE /doctors/{id}/time-off/{time_off}",
        reverse("admin:consultations_consultation_changelist"): "GET /consultations",
        f"{reverse('admin:consultations_consultation_add')}?patient={at[0]}": "POST /consultations",
        reverse("admin:consultations_consultation_change", args=[scene.consultation_id]): "GET /consultations/{id}",
        reverse("admin:consultations_consultation_step", args=[scene.consultation_id, 1]): "PUT /consultations/{id}/step",
        reverse("admin:consultations_consultation_complete", args=[scene.consultation_id]): "POST /consultations/{id}/complete",
        reverse("admin:consultations_consultation_hold", args=[scene.consultation_id]): "POST /consultations/{id}/hold",
        reverse("admin:consultations_consultation_cancel", args=[scene.consultation_id]): "POST /consultations/{id}/cancel",
        reverse("admin:consultations_consultation_ready", args=[scene.consultation_id]): "POST /consultations/{id}/ready",
        reverse("admin:consultations_consultation_hand_over", args=[scene.consultation_id]): "POST /consultations/{id}/hand-over",
    }
    for address, row in twins.items():
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


# Answer whoever may decide, review or break in, though the chart be closed.
OUTSIDE_THE_CHART = {"PUT /patients/{id}/restricted", "GET /patients/{id}/access-log", "POST /patients/{id}/break-glass"}


def test_every_route_about_a_closed_chart_answers_404_to_whoever_is_not_on_the_team(staff: dict[str, User]) -> None:
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
                known = request_for(row, Scene(patient, patient, patient, entry, ""))
                assert known is not None, f"this test knows no body for {row}"
                path, body = known
                path, body = path.replace(f"?into={patient.pk}", f"?into={other.pk}"), _elsewhere(body, patient, other)
                status, walked = who.call(row.partition(" ")[0], path, body).status_code, walked + 1
                if status != 404:
                    wrong.append(f"{role}: {row} answered {status}")
    assert walked > 60
    assert not wrong, "\n".join(wrong)
    closed.refresh_from_db()
    assert (closed.restricted, closed.is_active, closed.insurance_provider) == (True, True, "")


def _elsewhere(body: Any, patient: Patient, other: Patient) -> Any:
    """The body with the other person where it named the patient."""
    names = {"into", "other_id"}
    return {name: str(other.pk) if name in names else value for name, value in body.items()} if body else body


def test_no_page_shows_a_closed_chart_to_whoever_is_not_on_the_team(staff: dict[str, User]) -> None:
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
    gone = {
        reverse(f"admin:patients_patient_{page}", args=[row.pk])
        for row in (closed, old)
        for page in ("change", "merge", "not_same")
    }
    gone |= {
        reverse("admin:patients_patient_history", args=[closed.pk]),
        reverse("admin:patients_merge_change", args=[merged.pk]),
        reverse("admin:appointments_appointment_change", args=[visit.pk]),
        reverse("admin:appointments_appointment_cancel", args=[visit.pk]),
        f"{reverse('admin:appointments_appointment_add')}?patient={closed.pk}",
    }
    gone |= {reverse("admin:patients_chartentry_change", args=[entry.pk])}
    gone |= {f"{reverse('admin:patients_chartentry_changelist')}?patient={row.pk}" for row in (closed, old)}
    for role in ("admin", "doctor", "receptionist", "billing"):
        browser = factories.browser(staff[role])
        for page in pages | gone:
            response = browser.get(page)
            assert "Zabriskie" not in response.content.decode().replace('value="zabriskie"', ""), f"{role}: {page}"
            assert page in pages or response.status_code in (403, 404), f"{role}: {page}"
