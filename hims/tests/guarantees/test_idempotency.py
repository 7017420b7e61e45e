"""Idempotency-Key: what is sent again is done once and answered as it was the first time."""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.urls import path
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.response import Response

from apps.access.permissions import Permission
from apps.accounts import rights
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.common import clock, keyring
from apps.common.errors import Conflict, Invalid
from apps.common.tests.concurrency import run_concurrently
from apps.events.models import OutboxEvent
from apps.patients.models import Patient
from apps.rest import idempotency, tasks
from apps.rest.endpoint import endpoint
from apps.rest.endpoint import of as declared
from apps.rest.models import KeptReply, SignInTry
from apps.rest.viewsets import HimsViewSet
from hims import urls
from hims.tests import factories
from hims.tests.test_permissions import doors

pytestmark = pytest.mark.django_db

ANN = {"first_name": "Ann", "last_name": "Lee", "date_of_birth": "1990-01-31", "gender": "female"}
PER_REQUEST = {"X-Request-ID", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit", "Idempotent-Replayed"}


class Odd(HimsViewSet):
    """A view that writes and then has second thoughts."""

    resource = "odd"

    @endpoint(permission=rights.Permission.OWN_SESSION)
    def conflicting(self, request: Any) -> Response:
        SignInTry.objects.create(key="kept on purpose", at=clock.now())
        with transaction.atomic():
            SignInTry.objects.create(key="undone", at=clock.now())
            raise Conflict("Not like this.", seen=str(uuid4()))

    @endpoint(permission=rights.Permission.OWN_SESSION)
    def invalid(self, request: Any) -> Response:
        SignInTry.objects.create(key="kept on purpose", at=clock.now())
        raise Invalid(field="colour", issue="Never.")

    @endpoint(permission=rights.Permission.OWN_SESSION)
    def broken(self, request: Any) -> Response:
        SignInTry.objects.create(key="gone", at=clock.now())
        raise RuntimeError("unforeseen")


urlpatterns = [
    path("v1/conflicting", Odd.as_view({"post": "conflicting"})),
    path("v1/invalid", Odd.as_view({"post": "invalid"})),
    path("v1/broken", Odd.as_view({"post": "broken"})),
    *urls.urlpatterns,
]


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> factories.ApiClient:
    return factories.api_client(staff["receptionist"])


def send(who: factories.ApiClient, key: str = "one", where: str = "/patients", body: Any = ANN) -> Any:
    return who.post(where, body, HTTP_IDEMPOTENCY_KEY=key)


def error_of(reply: Any, status: int, code: str) -> dict[str, Any]:
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code), reply.content
    assert "Idempotent-Replayed" not in reply.headers
    return reply.json()["error"]["details"]


def is_replay_of(again: Any, first: Any) -> bool:
    same = {name: value for name, value in first.headers.items() if name not in PER_REQUEST}
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert {name: value for name, value in again.headers.items() if name not in PER_REQUEST} == same
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    return (again.status_code, again.content) == (first.status_code, first.content)


def test_a_request_sent_again_is_done_once_and_answered_byte_for_byte(receptionist_api: factories.ApiClient) -> None:
    first = send(receptionist_api)
    assert first.status_code == 201
    assert {"Location", "ETag"} <= set(first.headers)
    reordered = json.dumps(dict(reversed(ANN.items())), indent=3)
    assert is_replay_of(send(receptionist_api), first)
    assert is_replay_of(send(receptionist_api, where="/patients/", body=reordered), first)
    assert Patient.objects.count() == 1
    assert OutboxEvent.objects.filter(name="patient.registered").count() == 1
    assert AuditEvent.objects.filter(action="patient.registered").count() == 1


def test_a_replay_is_on_record_with_the_first_request(receptionist_api: factories.ApiClient) -> None:
    first = send(receptionist_api)
    send(receptionist_api)
    row = AuditEvent.objects.get(action="patient.replayed")
    assert row.detail == {"first_request": first.headers["X-Request-ID"], "status": 201}


def test_another_body_with_the_same_key_is_a_mismatch(receptionist_api: factories.ApiClient) -> None:
    send(receptionist_api)
    assert (
        error_of(send(receptionist_api, body={**ANN, "first_name": "Anne"}), 422, "IDEMPOTENCY_MISMATCH")["field"]
        == "Idempotency-Key"
    )
    assert Patient.objects.count() == 1


def test_a_key_belongs_to_its_sender_and_its_route(staff: dict[str, User], receptionist_api: factories.ApiClient) -> None:
    patient = send(receptionist_api).json()["data"]["patient"]["id"]
    assert send(factories.api_client(staff["nurse"])).status_code == 201
    assert Patient.objects.count() == 2
    first = send(receptionist_api, where=f"/patients/{patient}/deactivate", body=None)
    assert first.status_code == 200
    assert is_replay_of(send(receptionist_api, where=f"/patients/{patient}/deactivate", body=None), first)
    error_of(send(receptionist_api, "other", where=f"/patients/{patient}/deactivate", body=None), 409, "CONFLICT")


def test_a_new_session_of_the_same_person_gets_the_reply(staff: dict[str, User], receptionist_api: factories.ApiClient) -> None:
    first = send(receptionist_api)
    assert is_replay_of(send(factories.api_client(staff["receptionist"])), first)


def test_in_another_role_the_reply_of_the_old_one_is_not_shown(
    staff: dict[str, User], receptionist_api: factories.ApiClient
) -> None:
    send(receptionist_api)
    staff["receptionist"].amend(role="nurse")
    assert error_of(send(factories.api_client(staff["receptionist"])), 409, "CONFLICT")["issue"] == "replay_withheld"
    assert Patient.objects.count() == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "é", "x" * 256, "a\x7f"])
def test_an_odd_key_is_refused(receptionist_api: factories.ApiClient, key: str) -> None:
    assert error_of(send(receptionist_api, key), 400, "VALIDATION_ERROR")["field"] == "Idempotency-Key"
    assert not Patient.objects.exists()


@pytest.mark.parametrize("key", ["!", "~" * 255, '"quoted"', "8c1f5f0e-2f41-4b57-9a4e-6a1d5d3c7b20"])
def test_any_visible_ascii_is_a_key(receptionist_api: factories.ApiClient, key: str) -> None:
    first = send(receptionist_api, key)
    assert is_replay_of(send(receptionist_api, key), first)


def test_a_conflict_of_the_ward_is_kept_though_its_effect_is_not(receptionist_api: factories.ApiClient) -> None:
    factories.register_patient(mrn="MRN-X")
    first = send(receptionist_api, body={**ANN, "mrn": "mrn-x"})
    assert first.status_code == 409
    Patient.objects.filter(mrn="MRN-X").update(mrn="MRN-Y")
    again = send(receptionist_api, body={**ANN, "mrn": "mrn-x"})
    assert is_replay_of(again, first)
    assert again.json()["error"]["request_id"] == first.headers["X-Request-ID"]
    assert Patient.objects.count() == 1


@pytest.mark.parametrize(
    ("where", "body", "status"),
    [("/patients", {"first_name": "Ann"}, 400), ("/patients", "{", 400), ("/patients/match", ANN | {"x": 1}, 400)],
)
def test_a_refused_request_leaves_the_key_free(receptionist_api: factories.ApiClient, where: str, body: Any, status: int) -> None:
    assert send(receptionist_api, where=where, body=body).status_code == status
    assert not KeptReply.objects.exists()
    assert send(receptionist_api, where=where).status_code in (200, 201)


def test_who_may_not_and_what_is_not_there_leave_the_key_free(
    staff: dict[str, User], receptionist_api: factories.ApiClient
) -> None:
    error_of(send(factories.api_client(), "k"), 401, "AUTHENTICATION_ERROR")
    error_of(send(factories.api_client(staff["billing"]), "k"), 403, "AUTHORIZATION_ERROR")
    error_of(send(receptionist_api, "k", f"/patients/{uuid4()}/deactivate", None), 404, "NOT_FOUND")
    assert not KeptReply.objects.exists()


@pytest.mark.urls("hims.tests.guarantees.test_idempotency")
def test_what_a_service_keeps_in_spite_of_its_refusal_stays_kept(receptionist_api: factories.ApiClient) -> None:
    first = send(receptionist_api, where="/conflicting", body=None)
    assert is_replay_of(send(receptionist_api, where="/conflicting", body=None), first)
    assert list(SignInTry.objects.values_list("key", flat=True)) == ["kept on purpose"]
    assert send(receptionist_api, "two", "/invalid", None).status_code == 400
    assert SignInTry.objects.count() == 2
    assert KeptReply.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls("hims.tests.guarantees.test_idempotency")
def test_an_unforeseen_failure_undoes_everything_and_frees_the_key(receptionist_api: factories.ApiClient) -> None:
    receptionist_api.client.raise_request_exception = False
    error_of(send(receptionist_api, where="/broken", body=None), 500, "INTERNAL_ERROR")
    assert not SignInTry.objects.exists()
    assert not KeptReply.objects.exists()


def test_after_a_day_the_key_is_free_and_the_reply_is_forgotten(receptionist_api: factories.ApiClient) -> None:
    with time_machine.travel("2026-03-01 10:00Z", tick=False):
        send(factories.api_client(User.objects.get(role="receptionist")))
    with time_machine.travel("2026-03-02 09:59:59Z", tick=False):
        assert tasks.forget_kept_replies() == 0
        assert send(factories.api_client(User.objects.get(role="receptionist"))).headers["Idempotent-Replayed"]
    with time_machine.travel("2026-03-02 10:00:00Z", tick=False):
        assert "Idempotent-Replayed" not in send(factories.api_client(User.objects.get(role="receptionist"))).headers
        assert KeptReply.objects.count() == 1
    with time_machine.travel("2026-03-04 10:00Z", tick=False):
        assert tasks.forget_kept_replies() == 1
    assert Patient.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_reply_of_a_key_that_is_used_again_while_the_expired_ones_are_deleted_stays(
    receptionist_api: factories.ApiClient,
) -> None:
    def forget() -> int:
        try:
            return tasks.forget_kept_replies()
        finally:
            connection.close()

    send(receptionist_api)
    KeptReply.objects.update(kept_at=clock.now() - timedelta(hours=25), expires_at=clock.now() - timedelta(hours=1))
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            again = send(receptionist_api)
            forgotten = pool.submit(forget)
            waits_or_ends(forgotten)
        assert forgotten.result(30) == 0
    assert is_replay_of(send(receptionist_api), again)


def waits_or_ends(act: Future[int]) -> None:
    """Return as soon as the other session waits for a lock, or has ended without one."""
    while not act.done():
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[0]:
                return


def test_neither_the_key_nor_the_reply_can_be_read_in_the_table(receptionist_api: factories.ApiClient) -> None:
    send(receptionist_api, "a-very-telling-key", body={**ANN, "last_name": "Unmistakable"})
    row = KeptReply.objects.get()
    stored = b"".join(
        bytes(value) if isinstance(value, memoryview | bytes) else str(value).encode() for value in vars(row).values()
    )
    assert b"Unmistakable" not in stored
    assert b"telling" not in stored
    assert b"Unmistakable" in keyring.decrypt(row.sealed)


def test_an_unreadable_reply_is_not_produced_again(receptionist_api: factories.ApiClient) -> None:
    send(receptionist_api)
    KeptReply.objects.update(sealed=b"of a key that is gone")
    assert error_of(send(receptionist_api), 409, "CONFLICT")["issue"] == "reply_lost"
    assert Patient.objects.count() == 1


def test_without_the_header_nothing_is_kept_and_nothing_asked(
    receptionist_api: factories.ApiClient, django_assert_max_num_queries: Any
) -> None:
    receptionist_api.post("/patients", ANN)
    assert not KeptReply.objects.exists()
    with django_assert_max_num_queries(100) as bare:
        receptionist_api.post("/patients/match", ANN)
    assert not [row for row in bare.captured_queries if "kept" in row["sql"] or "advisory" in row["sql"]]
    send(receptionist_api, "k", "/patients", ANN)
    with django_assert_max_num_queries(7):  # session, begin, lock, look, note of the replay, commit
        send(receptionist_api, "k", "/patients", ANN)


def test_sign_in_takes_no_key(staff: dict[str, User]) -> None:
    credentials = {"username": "nurse.ward", "password": factories.PASSWORD}
    first, again = (send(factories.api_client(), "k", "/auth/login", credentials) for _ in range(2))
    assert first.json()["data"]["tokens"] != again.json()["data"]["tokens"]
    assert send(factories.api_client(staff["nurse"]), "k", "/auth/logout", {}).status_code == 200
    assert not KeptReply.objects.exists()


def test_every_post_but_sign_in_takes_a_key() -> None:
    keyed = {
        path: idempotency.accepts_key(as_action(view, action), method.upper(), f"/{path}")
        for path, method, action, view in doors()
        if method == "post"
    }
    refusing = {path for path, method, action, view in doors() if method == "post" and not keyed[path]}
    public = {path for path, _, action, view in doors() if not isinstance(declared(view, action).permission, Permission)}
    assert {path for path in refusing if not path.startswith("v1/auth/")} <= public


def as_action(view: type[HimsViewSet], action: str) -> HimsViewSet:
    made = view()
    made.action = action
    return made


@pytest.mark.django_db(transaction=True)
def test_of_twenty_with_one_key_one_writes(receptionist_api: factories.ApiClient) -> None:
    replies = run_concurrently(20, lambda _: send(factories.ApiClient(type(receptionist_api.client)(), receptionist_api.token)))
    made = [reply for reply in replies if reply.status_code == 201]
    waiting = [reply for reply in replies if reply.status_code == 409]
    assert len(made) + len(waiting) == 20
    assert len({reply.content for reply in made}) == 1
    assert len([reply for reply in made if "Idempotent-Replayed" not in reply.headers]) == 1
    for reply in waiting:
        assert error_of(reply, 409, "CONFLICT") == {
            "reason": "in_flight",
            "field": "Idempotency-Key",
            "issue": "in_flight",
        }
        assert reply.headers["Retry-After"] == "1"
    assert Patient.objects.count() == KeptReply.objects.count() == 1
    assert OutboxEvent.objects.filter(name="patient.registered").count() == 1
    assert is_replay_of(send(receptionist_api), next(reply for reply in made if "Idempotent-Replayed" not in reply.headers))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**29), 10**29) | st.text() | st.decimals(-1000, 1000, places=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
)
def test_a_fingerprint_sees_every_value_and_no_order(value: Any) -> None:
    first, turned = asking({"a": 1, "b": value}), asking({"b": value, "a": 1})
    assert idempotency.fingerprint(first) == idempotency.fingerprint(turned)
    assert idempotency.fingerprint(first) != idempotency.fingerprint(asking({"a": 2, "b": value}))
    assert idempotency.fingerprint(first) != idempotency.fingerprint(asking({"a": 1, "b": [value]}))


def asking(body: Any) -> Any:
    class Asked:
        data = body
        user = None

        class query_params:
            lists = staticmethod(list)

    return Asked()


@pytest.mark.parametrize(
    "wrong", [{"status": 400}, {"status": 500}, {"name": b"short"}, {"asked": b""}, {"expires_at": "2020-01-01T00:00Z"}]
)
def test_the_database_keeps_no_other_replies(wrong: dict[str, Any]) -> None:
    now = clock.now()
    whole = {
        "name": b"n" * 32,
        "asked": b"a" * 32,
        "status": 201,
        "sealed": b"",
        "kept_at": now,
        "expires_at": now + idempotency.KEPT,
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        KeptReply.objects.create(**(whole | wrong))
    assert connection.in_atomic_block
