"""ETag, If-None-Match, If-Match: a client does not read twice what it has, and does not overwrite what it has not seen."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.common import redis_client
from apps.common.tests.concurrency import run_concurrently
from apps.patients.models import Patient
from apps.rest import conditional_reads, endpoint, etags
from apps.rest.viewsets import HimsViewSet
from hims.tests import factories
from hims.tests.test_permissions import concrete, doors

pytestmark = pytest.mark.django_db


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> factories.ApiClient:
    return factories.api_client(staff["receptionist"])


def error_of(reply: Any, status: int, code: str) -> Any:
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code), reply.content
    return reply


def tag_of(reply: Any) -> str:
    tag = reply.headers["ETag"]
    assert tag.startswith('"')
    assert tag.endswith('"')
    return tag


def reads_of(patient: Patient) -> list[dict[str, Any]]:
    return list(AuditEvent.objects.filter(action="patient.read", patient_id=patient.pk).values_list("detail", flat=True))


def test_a_thousand_conditional_reads_of_an_unchanged_record_are_one_audit_row(staff: dict[str, User]) -> None:
    doctor, patient = factories.api_client(staff["doctor"]), factories.register_patient()
    where = f"/patients/{patient.pk}"
    tag = doctor.get(where).headers["ETag"]
    for _ in range(40):
        assert doctor.get(where, HTTP_IF_NONE_MATCH=tag).status_code == 304
    assert reads_of(patient) == [{"not_modified": True}, {}]
    factories.api_client(staff["nurse"]).get(where, HTTP_IF_NONE_MATCH="*")  # another person's is another reading
    assert reads_of(patient) == [{"not_modified": True}, {"not_modified": True}, {}]


def test_a_conditional_read_that_shows_the_record_is_audited_each_time(receptionist_api: factories.ApiClient) -> None:
    patient = factories.register_patient()
    for _ in range(3):
        assert receptionist_api.get(f"/patients/{patient.pk}", HTTP_IF_NONE_MATCH='"another"').status_code == 200
    assert reads_of(patient) == [{}, {}, {}]


def test_without_redis_every_conditional_read_is_audited(
    receptionist_api: factories.ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = factories.register_patient()
    tag = receptionist_api.get(f"/patients/{patient.pk}").headers["ETag"]

    def down(*_: Any) -> None:
        raise redis_client.RedisUnavailable

    monkeypatch.setattr(conditional_reads.redis_client, "run", down)
    for _ in range(3):
        assert receptionist_api.get(f"/patients/{patient.pk}", HTTP_IF_NONE_MATCH=tag).status_code == 304
    assert len(reads_of(patient)) == 4


# Reading


def test_every_read_of_one_thing_has_a_tag_that_stays_while_it_does(staff: dict[str, User]) -> None:
    doctor, patient = factories.api_client(staff["doctor"]), factories.register_patient()
    entry = factories.chart(patient)
    merge = factories.merge(factories.register_patient(), factories.register_patient())
    admin = factories.api_client(staff["admin"])
    for who, where in (
        (doctor, f"/patients/{patient.pk}"),
        (doctor, f"/patients/{patient.pk}/medical-history/{entry.pk}"),
        (doctor, "/auth/me"),
        (doctor, f"/doctors/{staff['doctor'].pk}"),
        (admin, f"/patients/merges/{merge.pk}"),
    ):
        first = who.get(where)
        assert tag_of(first) == tag_of(who.get(where))
        again = who.get(where, HTTP_IF_NONE_MATCH=first.headers["ETag"])
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        assert "Content-Type" not in again.headers
        assert "Content-Length" not in again.headers
        assert again.headers["Cache-Control"] == "private, no-store"
        assert again.headers["Vary"] == "Authorization, X-API-Key, Accept-Encoding"


@pytest.mark.parametrize("header", ["*", "{tag}", "W/{tag}", '"other", {tag}', 'W/"other" , W/{tag}'])
def test_what_the_reader_has_is_not_sent_again(receptionist_api: factories.ApiClient, header: str) -> None:
    where = f"/patients/{factories.register_patient().pk}"
    tag = tag_of(receptionist_api.get(where))
    assert receptionist_api.get(where, HTTP_IF_NONE_MATCH=header.format(tag=tag)).status_code == 304
    assert receptionist_api.call("HEAD", where, HTTP_IF_NONE_MATCH=header.format(tag=tag)).status_code == 304


@pytest.mark.parametrize("header", ["", '"other"', "unquoted", '"unclosed', "{bare}"])
def test_another_tag_brings_the_whole(receptionist_api: factories.ApiClient, header: str) -> None:
    where = f"/patients/{factories.register_patient().pk}"
    bare = tag_of(receptionist_api.get(where)).strip('"')
    assert receptionist_api.get(where, HTTP_IF_NONE_MATCH=header.format(bare=bare)).status_code == 200


def test_every_change_makes_another_tag_even_back_to_what_it_was(receptionist_api: factories.ApiClient) -> None:
    where = f"/patients/{factories.register_patient(phone='+12025550143').pk}"
    seen = [tag_of(receptionist_api.get(where))]
    for phone in ("+12025550144", "+12025550143"):
        seen.append(tag_of(receptionist_api.put(where, {"phone": phone})))
        assert seen[-1] == tag_of(receptionist_api.get(where))
    seen.append(tag_of(receptionist_api.post(f"{where}/deactivate")))
    seen.append(tag_of(receptionist_api.post(f"{where}/reactivate")))
    assert len(set(seen)) == 5
    assert tag_of(receptionist_api.put(where, {"phone": "+12025550143"})) == seen[-1]  # nothing changed


def test_who_is_shown_other_things_has_another_tag(staff: dict[str, User]) -> None:
    where = f"/patients/{factories.register_patient().pk}"
    tags = {
        role: tag_of(factories.api_client(staff[role]).get(where)) for role in ("receptionist", "pharmacist", "billing", "doctor")
    }
    assert len(set(tags.values())) == 4
    assert factories.api_client(staff["doctor"]).get(where, HTTP_IF_NONE_MATCH=tags["pharmacist"]).status_code == 200


def test_a_new_resource_comes_with_the_tag_of_its_first_read(receptionist_api: factories.ApiClient) -> None:
    made = receptionist_api.post(
        "/patients", {"first_name": "Ann", "last_name": "Lee", "date_of_birth": "1990-01-31", "gender": "female"}
    )
    assert tag_of(made) == tag_of(receptionist_api.get(made.headers["Location"].removeprefix("/v1")))


def test_a_read_that_found_nothing_new_is_on_record_and_costs_nothing(receptionist_api: factories.ApiClient) -> None:
    where = f"/patients/{factories.register_patient().pk}"
    first = receptionist_api.get(where)
    left = int(first.headers["X-RateLimit-Remaining"])
    for _ in range(3):
        again = receptionist_api.get(where, HTTP_IF_NONE_MATCH=first.headers["ETag"])
        assert int(again.headers["X-RateLimit-Remaining"]) == left
    assert int(receptionist_api.get(where).headers["X-RateLimit-Remaining"]) == left - 1
    rows = AuditEvent.objects.filter(action="patient.read").order_by("at").values_list("detail", flat=True)
    assert list(rows) == [{}, {"not_modified": True}, {}]  # of the three in a row, one: see `apps.rest.conditional_reads`


# Writing


def test_a_change_of_what_was_read_goes_through(receptionist_api: factories.ApiClient) -> None:
    where = f"/patients/{factories.register_patient().pk}"
    tag = tag_of(receptionist_api.get(where))
    for method, body in (("PUT", {"address": {"city": "Here"}}), ("PATCH", {"address": {"city": "There"}})):
        reply = receptionist_api.call(method, where, body, HTTP_IF_MATCH=f'"other", {tag}')
        assert reply.status_code == 200
        tag = tag_of(reply)
    assert receptionist_api.post(f"{where}/deactivate", HTTP_IF_MATCH=tag).status_code == 200


@pytest.mark.parametrize("header", ['"other"', "W/{tag}", 'W/{tag}, "other"'])
def test_a_change_of_what_was_not_read_is_refused_and_names_the_version(
    receptionist_api: factories.ApiClient, header: str
) -> None:
    patient = factories.register_patient(city="Here")
    where = f"/patients/{patient.pk}"
    tag = tag_of(receptionist_api.get(where))
    for method, path in (("PUT", where), ("PATCH", where), ("POST", f"{where}/deactivate")):
        body = None if method == "POST" else {"address": {"city": "There"}}
        refused = error_of(
            receptionist_api.call(method, path, body, HTTP_IF_MATCH=header.format(tag=tag)), 412, "PRECONDITION_FAILED"
        )
        assert tag_of(refused) == tag
        assert refused.json()["error"]["details"]["field"] == "If-Match"
    patient.refresh_from_db()
    assert (patient.city, patient.is_active) == ("Here", True)


def test_a_star_fits_whatever_is_there(receptionist_api: factories.ApiClient) -> None:
    assert (
        receptionist_api.put(
            f"/patients/{factories.register_patient().pk}", {"address": {"city": "There"}}, HTTP_IF_MATCH="*"
        ).status_code
        == 200
    )
    error_of(receptionist_api.put(f"/patients/{uuid4()}", {"address": {"city": "There"}}, HTTP_IF_MATCH="*"), 404, "NOT_FOUND")
    error_of(
        receptionist_api.put(
            f"/patients/{factories.register_patient().pk}", {"address": {"city": "There"}}, HTTP_IF_NONE_MATCH="*"
        ),
        412,
        "PRECONDITION_FAILED",
    )


@pytest.mark.parametrize("header", ["", "unquoted", '"unclosed'])
def test_a_tag_without_its_quotes_is_refused_with_the_reason(receptionist_api: factories.ApiClient, header: str) -> None:
    refused = error_of(
        receptionist_api.put(
            f"/patients/{factories.register_patient().pk}", {"address": {"city": "There"}}, HTTP_IF_MATCH=header
        ),
        400,
        "VALIDATION_ERROR",
    )
    assert refused.json()["error"]["details"]["field"] == "If-Match"


def test_a_condition_on_a_resource_without_an_etag_is_refused_and_says_what_to_do(staff: dict[str, User]) -> None:
    nurse = factories.api_client(staff["nurse"])
    refused = nurse.call("DELETE", f"/auth/sessions/{uuid4()}", HTTP_IF_MATCH='"any"')
    assert refused.status_code == 412
    assert refused.json()["error"]["details"]["issue"] == "This resource has no ETag. Leave the header out."


def test_a_chart_entry_is_retracted_as_it_was_read(staff: dict[str, User]) -> None:
    doctor, patient = factories.api_client(staff["doctor"]), factories.register_patient()
    where = f"/patients/{patient.pk}/medical-history/{factories.chart(patient).pk}"
    tag, body = tag_of(doctor.get(where)), {"reason": "another patient"}
    error_of(doctor.post(f"{where}/retract", body, HTTP_IF_MATCH='"old"'), 412, "PRECONDITION_FAILED")
    assert tag_of(doctor.post(f"{where}/retract", body, HTTP_IF_MATCH=tag)) == tag_of(doctor.get(where))
    error_of(doctor.post(f"{where}/retract", body, HTTP_IF_MATCH=tag), 412, "PRECONDITION_FAILED")


def test_oneself_is_changed_as_read(staff: dict[str, User]) -> None:
    nurse = factories.api_client(staff["nurse"])
    tag = tag_of(nurse.get("/auth/me"))
    assert nurse.put("/auth/me", {"first_name": "Nora"}, HTTP_IF_MATCH=tag).status_code == 200
    error_of(nurse.call("PATCH", "/auth/me", {"first_name": "Nina"}, HTTP_IF_MATCH=tag), 412, "PRECONDITION_FAILED")


def test_a_write_under_a_tag_and_a_key_is_answered_again_though_the_tag_has_passed(receptionist_api: factories.ApiClient) -> None:
    where = f"/patients/{factories.register_patient().pk}"
    both = {"HTTP_IF_MATCH": tag_of(receptionist_api.get(where)), "HTTP_IDEMPOTENCY_KEY": "k"}
    first, again = receptionist_api.post(f"{where}/deactivate", **both), receptionist_api.post(f"{where}/deactivate", **both)
    assert (first.status_code, again.content) == (200, first.content)
    assert again.headers["ETag"] == first.headers["ETag"]
    error_of(
        receptionist_api.post(f"{where}/reactivate", HTTP_IF_MATCH=both["HTTP_IF_MATCH"], HTTP_IDEMPOTENCY_KEY="l"),
        412,
        "PRECONDITION_FAILED",
    )
    free = receptionist_api.post(f"{where}/reactivate", HTTP_IF_MATCH=first.headers["ETag"], HTTP_IDEMPOTENCY_KEY="l")
    assert free.status_code == 200


def test_where_it_is_demanded_a_change_without_it_is_refused(receptionist_api: factories.ApiClient) -> None:
    where = f"/patients/{factories.register_patient().pk}"
    with override_settings(HIMS_REQUIRE_IF_MATCH=["patient"]):
        error_of(receptionist_api.put(where, {"address": {"city": "There"}}), 428, "PRECONDITION_REQUIRED")
        error_of(receptionist_api.post(f"{where}/deactivate"), 428, "PRECONDITION_REQUIRED")
        assert (
            receptionist_api.put(
                where, {"address": {"city": "There"}}, HTTP_IF_MATCH=tag_of(receptionist_api.get(where))
            ).status_code
            == 200
        )
        assert receptionist_api.put("/auth/me", {"first_name": "Rita"}).status_code == 200
    assert receptionist_api.put(where, {"address": {"city": "Here"}}).status_code == 200


def test_every_change_of_a_resource_heeds_if_match() -> None:
    readable = {path for path, method, action, _ in doors() if method == "get" and action == "retrieve"}
    assert len(readable) > 5
    deaf = [
        f"{method} {path}"
        for path, method, action, view in doors()
        if method in ("put", "patch", "delete") and path in readable and not etags.is_guarded(endpoint.of(view, action))
    ]
    assert not deaf, deaf
    unheld = {
        view.__name__
        for _, _, action, view in doors()
        if etags.is_guarded(endpoint.of(view, action)) and view.get_for_update is HimsViewSet.get_for_update
    }
    unheld -= {view.__name__ for _, method, action, view in doors() if method == "get"} & reading_only()
    assert not unheld, unheld


def reading_only() -> set[str]:
    """Views whose tagged actions change nothing."""
    changing = {
        view.__name__ for _, method, action, view in doors() if method != "get" and etags.is_guarded(endpoint.of(view, action))
    }
    return {view.__name__ for *_, view in doors()} - changing


# Races


@pytest.mark.django_db(transaction=True)
def test_of_twenty_writers_of_one_version_one_wins(receptionist_api: factories.ApiClient) -> None:
    where = f"/patients/{factories.register_patient().pk}"
    tag = tag_of(receptionist_api.get(where))
    replies = run_concurrently(
        20, lambda n: other(receptionist_api).put(where, {"address": {"city": f"City {n}"}}, HTTP_IF_MATCH=tag)
    )
    assert sorted(reply.status_code for reply in replies) == [200] + [412] * 19
    won = next(reply for reply in replies if reply.status_code == 200)
    assert tag_of(receptionist_api.get(where)) == tag_of(won)
    assert all(reply.headers["ETag"] == tag_of(won) for reply in replies)


@pytest.mark.django_db(transaction=True)
def test_writers_of_different_fields_lose_nothing(receptionist_api: factories.ApiClient) -> None:
    patient = factories.register_patient()
    where = f"/patients/{patient.pk}"
    bodies: list[dict[str, Any]] = [
        {"first_name": "Ann"},
        {"phone": "+12025550143"},
        {"address": {"city": "There"}},
        {"address": {"zip": "94110"}},
        {"contact": {"email": "ann@hims.test"}},
        {"insurance": {"provider": "Blue"}},
        {"emergency_contact": {"name": "Bob"}},
        {"insurance": {"policy_number": "P1"}},
    ]
    replies = run_concurrently(len(bodies), lambda n: other(receptionist_api).call("PATCH", where, bodies[n]))
    assert {reply.status_code for reply in replies} == {200}
    now = Patient.objects.get(pk=patient.pk)
    assert (now.first_name, now.phone, now.city, now.zip) == ("Ann", "+12025550143", "There", "94110")
    assert (now.email, now.insurance_provider, now.emergency_name) == ("ann@hims.test", "Blue", "Bob")
    assert now.insurance_policy_number == "P1"


def other(receptionist_api: factories.ApiClient) -> factories.ApiClient:
    return factories.ApiClient(type(receptionist_api.client)(), receptionist_api.token)


# Merge-patch


def test_a_patch_may_call_itself_one(receptionist_api: factories.ApiClient) -> None:
    where, kind = f"/patients/{factories.register_patient(city='Here', phone='+12025550143').pk}", "application/merge-patch+json"
    reply = receptionist_api.call("PATCH", where, {"contact": {"address": {"city": None}}}, CONTENT_TYPE=kind)
    contact = reply.json()["data"]["patient"]["contact"]
    assert (contact["address"]["city"], contact["phone"]) == ("", "+12025550143")
    error_of(
        receptionist_api.call("PUT", where, {"address": {"city": "There"}}, CONTENT_TYPE=kind), 415, "UNSUPPORTED_MEDIA_TYPE"
    )
    error_of(receptionist_api.call("POST", "/patients", {}, CONTENT_TYPE=kind), 415, "UNSUPPORTED_MEDIA_TYPE")
    error_of(receptionist_api.call("PATCH", where, '{"city": 1, "city": 2}', CONTENT_TYPE=kind), 400, "VALIDATION_ERROR")


def test_no_change_takes_a_field_it_does_not_know(staff: dict[str, User]) -> None:
    admin = factories.api_client(staff["admin"])
    changes = [
        (method, path)
        for path, method, action, view in doors()
        if method in ("put", "patch") and endpoint.of(view, action).request
    ]
    assert len(changes) >= 4
    for method, path in changes:
        for unknown in ("colour", "id", "created_at"):
            refused = error_of(admin.call(method.upper(), concrete(path), {unknown: "x"}), 400, "VALIDATION_ERROR")
            assert refused.json()["error"]["details"]["field"] == unknown


@pytest.mark.parametrize("body", [{"last_name": None}, {"first_name": None}, {"email": None}])
def test_null_clears_only_what_may_be_empty(staff: dict[str, User], body: dict[str, Any]) -> None:
    error_of(factories.api_client(staff["nurse"]).call("PATCH", "/auth/me", body), 400, "VALIDATION_ERROR")


# One line of text has single spaces, so the words have no others.
WORD = st.text("abcäß '", min_size=1, max_size=8).map(lambda text: " ".join(text.split())).filter(bool) | st.none()
PATCH = st.fixed_dictionaries(
    {},
    optional={
        "phone": st.sampled_from(["+12025550143", "+12025550144", None]),
        "address": st.none() | st.fixed_dictionaries({}, optional={"street": WORD, "city": WORD}),
        "insurance": st.none() | st.fixed_dictionaries({}, optional={"provider": WORD, "group_number": WORD}),
    },
)


def patched(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = patched(target.get(name), value)
    return target


@given(st.lists(PATCH, min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_any_row_of_patches_leaves_what_rfc_7396_says(patches: list[dict[str, Any]]) -> None:
    receptionist_api = factories.api_client(factories.hire(f"desk.{uuid4()}", "receptionist"))
    where, expected = f"/patients/{factories.register_patient().pk}", {}
    for patch in patches:
        assert receptionist_api.call("PATCH", where, patch).status_code == 200
        expected = patched(expected, patch)
    shown = receptionist_api.get(where).json()["data"]["patient"]
    address, insurance = expected.get("address", {}), expected.get("insurance", {})
    assert shown["contact"]["phone"] == expected.get("phone", "")
    assert shown["contact"]["address"] == {name: address.get(name, "") for name in ("street", "city", "state", "zip")}
    assert shown["insurance"] == {name: insurance.get(name, "") for name in ("provider", "policy_number", "group_number")}
