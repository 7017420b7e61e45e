"""`fields` and `expand`: the caller picks, the role decides."""

from typing import Any

import pytest

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.audit.rights import Permission
from apps.rest import endpoint, sparse_fields
from hims.tests import factories
from hims.tests.test_permissions import doors

pytestmark = pytest.mark.django_db


def refused(reply: Any, field: str, status: int = 400) -> str:
    assert reply.status_code == status, reply.content
    details = reply.json()["error"]["details"]
    assert details["field"] == field
    return details.get("issue", "")


def test_a_read_shows_the_picked_keys_alone(staff: dict[str, User]) -> None:
    nurse, where = factories.api_client(staff["nurse"]), f"/patients/{factories.register_patient(phone='+12025550143').pk}"
    assert list(nurse.get(f"{where}?fields=mrn,id").json()["data"]["patient"]) == ["id", "mrn"]
    nested = nurse.get(f"{where}?fields=contact.phone,demographics.last_name,demographics.first_name").json()["data"]["patient"]
    assert nested == {"demographics": {"first_name": "John", "last_name": "Doe"}, "contact": {"phone": "+12025550143"}}
    whole = nurse.get(f"{where}?fields=contact.phone,contact").json()["data"]["patient"]
    assert set(whole["contact"]) == {"phone", "email", "address"}
    assert nurse.get("/auth/me?fields=username").json()["data"] == {"user": {"username": "nurse.ward"}}
    assert nurse.get("/version?fields=api_version").json()["data"] == {"api_version": "v1"}


def test_a_list_shows_the_picked_keys_of_its_rows(staff: dict[str, User]) -> None:
    nurse = factories.api_client(staff["nurse"])
    for name in ("Ann", "Bea", "Cleo"):
        factories.register_patient(first_name=name)
    reply = nurse.get("/patients?fields=first_name&limit=2")
    assert reply.json()["data"]["patients"] == [{"first_name": "Cleo"}, {"first_name": "Bea"}]
    assert reply.json()["data"]["pagination"]["total"] == 3
    assert "fields=first_name" in reply["Link"]
    assert nurse.get("/doctors?fields=languages").json()["data"]["doctors"] == [{"languages": ["en", "es"]}]


@pytest.mark.parametrize(
    "fields", ["colour", "", "id,", "id,colour", "contact.colour", "contact.address.city", "id.x", "__class__"]
)
def test_a_key_that_is_not_declared_is_refused(staff: dict[str, User], fields: str) -> None:
    patient = factories.register_patient()
    assert "Known: id, mrn" in refused(
        factories.api_client(staff["nurse"]).get(f"/patients/{patient.pk}?fields={fields}"), "fields"
    )
    assert not AuditEvent.objects.filter(action="patient.read").exists()


def test_what_the_role_may_not_see_is_absent_picked_or_not(staff: dict[str, User]) -> None:
    where = f"/patients/{factories.register_patient().pk}?fields=id,insurance,contact.address"
    assert set(factories.api_client(staff["pharmacist"]).get(where).json()["data"]["patient"]) == {"id", "contact"}
    assert set(factories.api_client(staff["billing"]).get(where).json()["data"]["patient"]) == {"id", "contact", "insurance"}


def test_a_picked_read_keeps_the_tag_of_the_whole(staff: dict[str, User]) -> None:
    nurse, where = factories.api_client(staff["nurse"]), f"/patients/{factories.register_patient().pk}"
    whole, picked = nurse.get(where), nurse.get(f"{where}?fields=id")
    assert picked.headers["ETag"] == whole.headers["ETag"]
    assert nurse.get(f"{where}?fields=id", HTTP_IF_NONE_MATCH=whole.headers["ETag"]).status_code == 304
    assert nurse.put(where, {"address": {"city": "There"}}, HTTP_IF_MATCH=picked.headers["ETag"]).status_code == 200


def test_only_reads_can_be_picked(staff: dict[str, User]) -> None:
    nurse, where = factories.api_client(staff["nurse"]), f"/patients/{factories.register_patient().pk}"
    refused(nurse.put(f"{where}?fields=id", {"address": {"city": "There"}}), "fields")
    refused(nurse.get(f"{where}?expand=recorder"), "expand")


def test_an_entry_shows_who_recorded_it(staff: dict[str, User], django_assert_max_num_queries: Any) -> None:
    doctor, patient = factories.api_client(staff["doctor"]), factories.register_patient()
    history = f"/patients/{patient.pk}/medical-history"
    made = doctor.post(history, {"type": "note", "display": "Seen today"}).json()["data"]["record"]
    factories.chart(patient)  # recorded by the system
    name = {"id": str(staff["doctor"].pk), "first_name": "Doctor.Ward", "last_name": "Tester", "role": "doctor"}
    one = doctor.get(f"{history}/{made['id']}?expand=recorder").json()["data"]["record"]
    assert (one["recorder"], one["recorded_by"]) == (name, name["id"])
    listed = doctor.get(f"{history}?expand=recorder&fields=display").json()["data"]["records"]
    assert [row["recorder"] for row in listed] == [None, name]
    assert all(set(row) == {"display", "recorder"} for row in listed)
    assert "recorder" not in doctor.get(f"{history}/{made['id']}").json()["data"]["record"]
    for n in range(5):
        doctor.post(history, {"type": "note", "display": f"Note {n}"})
    with django_assert_max_num_queries(7):
        doctor.get(f"{history}?expand=recorder")
    staff["doctor"].amend(last_name="Newname")
    assert doctor.get(f"{history}/{made['id']}?expand=recorder").json()["data"]["record"]["recorder"]["last_name"] == "Newname"


def test_an_expanded_read_has_another_tag_when_what_it_shows_changes(staff: dict[str, User]) -> None:
    doctor, patient = factories.api_client(staff["doctor"]), factories.register_patient()
    history = f"/patients/{patient.pk}/medical-history"
    where = (
        f"{history}/{doctor.post(history, {'type': 'note', 'display': 'Seen'}).json()['data']['record']['id']}?expand=recorder"
    )
    tag = doctor.get(where).headers["ETag"]
    assert doctor.get(where, HTTP_IF_NONE_MATCH=tag).status_code == 304
    staff["doctor"].amend(last_name="Newname")
    assert doctor.get(where, HTTP_IF_NONE_MATCH=tag).status_code == 200


def test_a_merge_shows_its_two_patients(staff: dict[str, User]) -> None:
    retired, survivor = factories.register_patient(first_name="Jon"), factories.register_patient(first_name="John")
    done = factories.merge(retired, survivor)
    shown = (
        factories.api_client(staff["admin"]).get(f"/patients/merges/{done.pk}?expand=retired,survivor").json()["data"]["merge"]
    )
    assert (shown["retired"]["first_name"], shown["survivor"]["first_name"]) == ("Jon", "John")


def test_what_the_role_may_not_see_is_not_expanded(staff: dict[str, User], monkeypatch: pytest.MonkeyPatch) -> None:
    doctor, patient = factories.api_client(staff["doctor"]), factories.register_patient()
    entry = factories.chart(patient)
    view = next(view for path, _, _, view in doors() if path.endswith("<str:entry>"))
    closed = sparse_fields.Expansion(of="recorded_by", permission=Permission.AUDIT_VIEW, load=view.expands["recorder"].load)
    monkeypatch.setattr(view, "expands", {"recorder": closed})
    refused(doctor.get(f"/patients/{patient.pk}/medical-history/{entry.pk}?expand=recorder"), "expand", 403)
    assert not AuditEvent.objects.filter(action="chart.read", outcome="success").exists()


@pytest.mark.parametrize("expand", ["colour", "", "recorder.id", "recorder,colour", "recorded_by"])
def test_only_what_is_declared_is_expanded(staff: dict[str, User], expand: str) -> None:
    history = f"/patients/{factories.register_patient().pk}/medical-history"
    assert "Known: recorder" in refused(factories.api_client(staff["doctor"]).get(f"{history}?expand={expand}"), "expand")


def test_every_expansion_is_declared_in_its_shape() -> None:
    expanding = [(view, action) for _, method, action, view in doors() if method == "get" and view.expands]
    assert expanding
    for view, action in expanding:
        for name, expansion in view.expands.items():
            assert not endpoint.of(view, action).response().fields[name].required
            assert expansion.of in endpoint.of(view, action).response().fields
