"""Unsaved text: stored for its writer only, offered again, restored after a sign-in, deleted when the form is saved."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import PASSWORD, browser
from apps.appointments.tests import factories as appointments
from apps.audit.retention import purging
from apps.common import clock
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.tests.factories import save, start_consultation
from apps.desk.consultations.tests.test_admin import fill_in, page
from apps.desk.drafts import keeper, services
from apps.desk.models import Draft
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db
NOTE = "Cough for three days & fever"


@pytest.fixture
def visit(staff: dict[str, User]) -> ConsultationDetails:
    return start_consultation(staff["doctor"], register_patient())


def type_in(client: Client, writer: User, path: str, **fields: str) -> Any:
    """Sends what the module sends a second after typing stopped."""
    typed = {name: [value] for name, value in fields.items()}
    return client.post(
        reverse("admin:draft"), {"writer": keeper.name_of(writer.pk), "path": path, "identity": "", "fields": json.dumps(typed)}
    )


def plan(client: Client, address: str) -> str:
    text = client.get(address).content.decode()
    return text.split('name="plan"')[1].split("</textarea>")[0].partition(">")[2].strip()


def test_what_was_typed_is_offered_restored_and_discarded(staff: dict[str, User], visit: ConsultationDetails) -> None:
    client, address = browser(staff["doctor"]), page("step", visit, 7)
    assert type_in(client, staff["doctor"], address, plan=NOTE, version="0").status_code == 200
    shown = client.get(address).content.decode()
    assert "Restore what you typed at" in shown
    assert plan(client, address) == ""
    answer = {"draft": str(Draft.objects.get().pk), "page": address}
    assert client.post(reverse("admin:draft_answer"), answer | {"fill": "1"}).headers["Location"] == address
    assert plan(client, address) == "Cough for three days &amp; fever"
    client.post(reverse("admin:draft_answer"), answer | {"discard": "1"})
    assert (plan(client, address), Draft.objects.count()) == ("", 0)


def test_a_draft_is_only_its_writer_s(staff: dict[str, User], visit: ConsultationDetails, colleague: User) -> None:
    address = page("step", visit, 2)
    type_in(browser(staff["nurse"]), staff["nurse"], address, chief_complaint=NOTE)
    doctor = browser(staff["doctor"])
    assert "Cough for" not in doctor.get(address).content.decode()
    assert 'class="alert info draft"' not in doctor.get(address).content.decode()
    doctor.post(reverse("admin:draft_answer"), {"draft": str(Draft.objects.get().pk), "discard": "1"})
    assert Draft.objects.count() == 1


def test_a_saved_form_has_no_draft(staff: dict[str, User], visit: ConsultationDetails) -> None:
    client, address = browser(staff["doctor"]), page("step", visit, 7)
    type_in(client, staff["doctor"], address, plan=NOTE)
    type_in(client, staff["doctor"], page("step", visit, 9), instructions=NOTE)
    assert fill_in(client, address, plan=NOTE).status_code == 302
    assert [one.path for one in Draft.objects.all()] == [page("step", visit, 9)]


def test_a_refused_form_keeps_its_draft(staff: dict[str, User], visit: ConsultationDetails) -> None:
    client, address = browser(staff["doctor"]), page("step", visit, 9)
    type_in(client, staff["doctor"], address, instructions=NOTE)
    assert fill_in(client, address, follow_up_date="2020-01-01").status_code == 200
    assert Draft.objects.count() == 1


def test_a_form_that_is_sent_after_the_session_ended_is_there_after_the_sign_in(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    client, address = Client(), page("step", visit, 7)
    entry = {"username": staff["doctor"].username, "password": PASSWORD}
    client.post(f"/admin/login/?next={address}", entry)
    client.cookies.pop("sessionid", None)  # fifteen minutes without a request
    sent = client.post(address, {"version": "0", "plan": NOTE})
    assert (sent.status_code, sent.headers["Location"]) == (302, f"/admin/login/?next={address.replace('/', '%2F')}")
    back = client.post(sent.headers["Location"], entry)
    assert back.headers["Location"] == address
    assert plan(client, address) == "Cough for three days &amp; fever"
    assert "Not saved yet" in client.get(address).content.decode()
    assert fill_in(client, address, plan=NOTE).status_code == 302
    assert not Draft.objects.exists()


def test_another_person_who_signs_in_instead_sees_nothing_of_it(staff: dict[str, User], visit: ConsultationDetails) -> None:
    client, address = Client(), page("step", visit, 2)
    client.post("/admin/login/", {"username": staff["doctor"].username, "password": PASSWORD})
    client.cookies.pop("sessionid", None)
    sent = client.post(address, {"version": "0", "chief_complaint": NOTE})
    back = client.post(sent.headers["Location"], {"username": staff["nurse"].username, "password": PASSWORD}, follow=True)
    assert "Cough for" not in back.content.decode()
    assert Draft.objects.get().user_id == staff["doctor"].pk


def test_text_of_an_ended_session_is_stored_for_its_writer_and_the_reply_says_so(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    address = page("step", visit, 2)
    for client in (Client(), browser(staff["nurse"])):
        Draft.objects.all().delete()
        assert type_in(client, staff["doctor"], address, chief_complaint=NOTE).status_code == 401
        assert Draft.objects.get().user_id == staff["doctor"].pk


@pytest.mark.parametrize(
    "wrong",
    [
        {"writer": "x"},
        {"fields": "[]"},
        {"fields": '{"a": 1}'},
        {"path": "https://example.com/"},
        {"writer": ""},
    ],
)
def test_what_no_page_of_ours_sends_is_not_stored(
    staff: dict[str, User], visit: ConsultationDetails, wrong: dict[str, str]
) -> None:
    sent = {"writer": keeper.name_of(staff["doctor"].pk), "path": "/admin/", "identity": "", "fields": "{}"}
    assert browser(staff["doctor"]).post(reverse("admin:draft"), sent | wrong).status_code == 400
    assert not Draft.objects.exists()


def test_secrets_and_buttons_are_not_stored(staff: dict[str, User]) -> None:
    fields = {"note": ["a\x00b"], "new_password": ["x"], "csrfmiddlewaretoken": ["y"], "_save": ["1"]}
    services.keep(user_id=staff["doctor"].pk, path="/admin/x/", fields=fields)
    assert Draft.objects.get().fields == {"note": ["ab"]}


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("admin:accounts_user_set_password", {"password": "first secret", "again": "second secret"}),
        ("admin:second_factor", {"act": "disable", "password": "first secret", "code": "second secret"}),
        ("admin:second_factor", {"act": "confirm", "code": "second secret"}),
    ],
)
def test_no_password_and_no_code_is_stored_when_the_session_has_ended(
    staff: dict[str, User], address: str, sent: dict[str, str]
) -> None:
    client, path = Client(), reverse(address, args=[staff["nurse"].pk] if "user" in address else [])
    client.post("/admin/login/", {"username": staff["admin"].username, "password": PASSWORD})
    client.cookies.pop("sessionid", None)
    assert client.post(path, sent).status_code == 302
    assert "secret" not in json.dumps(Draft.objects.get(path=path).fields)


def test_the_code_of_a_chart_entry_is_stored(staff: dict[str, User]) -> None:
    services.keep(user_id=staff["doctor"].pk, path="/admin/x/", fields={"code": ["I10"], "code_system": ["ICD-10-CM"]})
    assert Draft.objects.get().fields["code"] == ["I10"]


def test_a_colleague_s_save_in_the_meantime_is_shown_and_not_overwritten(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    client, address = browser(staff["doctor"]), page("step", visit, 2)
    type_in(client, staff["doctor"], address, version="0", chief_complaint=NOTE)
    save(staff["nurse"], visit, 2, {"chief_complaint": "Headache"})
    services.fill_in(user_id=staff["doctor"].pk, draft_id=Draft.objects.get().pk)
    shown = client.get(address).content.decode()
    assert re.search(r'<input type="hidden" name="version"[^>]* value="0"', shown)
    clash = client.post(address, {"version": "0", "chief_complaint": NOTE}).content.decode()
    assert "Changed by" in clash
    assert "Headache" in clash


def test_two_forms_with_one_address_differ_by_their_hidden_fields(staff: dict[str, User]) -> None:
    for row in ("5", "6"):
        services.keep(user_id=staff["doctor"].pk, path="/admin/x/", identity=f"row={row}", fields={"note": [row], "row": [row]})
    services.discard_saved(user_id=staff["doctor"].pk, path="/admin/x/", sent={"row": ["5"], "note": ["a"]})
    assert [one.identity for one in Draft.objects.all()] == ["row=6"]


def test_a_row_of_another_patient_is_not_filled_after_the_session_ended(staff: dict[str, User]) -> None:
    one, other = (appointments.book_and_check_in(register_patient(name, "Stern"), staff["doctor"], 5) for name in ("Ida", "Ivo"))
    client, queue = Client(), reverse("admin:queue")
    entry = {"username": staff["nurse"].username, "password": PASSWORD}
    client.post("/admin/login/", entry)
    for row in (one, other):
        client.cookies.pop("sessionid", None)
        client.post(queue, {"visit": str(row.pk), "triage": "urgent", "triage_reason": NOTE})
        client.post("/admin/login/", entry)
        shown = client.get(queue).content.decode()
        filled = re.search(r'<tr id="visit-([^"]+)"(?:(?!<tr).)*value="Cough for', shown, re.DOTALL)
        assert filled
        assert filled[1] == str(row.pk)
        assert shown.count('value="Cough for') == 1


def test_drafts_go_after_a_week(staff: dict[str, User]) -> None:
    for days in (6, 8):
        services.keep(user_id=staff["doctor"].pk, path=f"/admin/{days}/", fields={"note": ["x"]})
        Draft.objects.filter(path=f"/admin/{days}/").update(updated_at=clock.now() - timedelta(days=days))
    purging.purge(by=SYSTEM, only="drafts")
    assert [one.path for one in Draft.objects.all()] == ["/admin/6/"]


def test_a_signed_out_browser_no_longer_names_its_writer(staff: dict[str, User]) -> None:
    client = Client()
    client.post("/admin/login/", {"username": staff["doctor"].username, "password": PASSWORD})
    assert client.cookies["hims_writer"].value
    client.post("/admin/logout/")
    assert not client.cookies["hims_writer"].value
