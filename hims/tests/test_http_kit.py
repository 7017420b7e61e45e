"""What every request meets, whatever it asks for: envelope, headers, odd paths and bodies, refusals of HTTP itself."""

import json
import re
import time
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.urls import path
from rest_framework.response import Response

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.rest import limits
from apps.rest.endpoint import PUBLIC, endpoint
from apps.rest.limits import RateClass
from apps.rest.viewsets import HimsViewSet
from hims import urls
from hims.tests import factories

pytestmark = pytest.mark.django_db

OURS = re.compile(r"req_[0-9A-HJKMNP-TV-Z]{26}")


class Trouble(HimsViewSet):
    """A view in which something goes wrong."""

    resource = "trouble"

    @endpoint(permission=PUBLIC)
    def unforeseen(self, request: Any) -> Response:
        raise RuntimeError("the password is swordfish")

    @endpoint(permission=PUBLIC)
    def no_database(self, request: Any) -> Response:
        raise OperationalError("server closed the connection at 10.0.0.5")


urlpatterns = [
    path("v1/unforeseen", Trouble.as_view({"get": "unforeseen", "post": "unforeseen"})),
    path("v1/no-database", Trouble.as_view({"get": "no_database"})),
    *urls.urlpatterns,
]
handler500 = urls.handler500


def error_of(reply: Any, status: int, code: str) -> dict[str, Any]:
    """The error of a reply, after what holds for every error was seen to hold."""
    assert reply.status_code == status, reply.content
    assert reply["Content-Type"] == "application/json"
    body = reply.json()
    assert (list(body), body["success"]) == (["success", "error"], False)
    error = body["error"]
    assert error["code"] == code
    assert error["request_id"] == reply["X-Request-ID"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", error["timestamp"])
    carries_the_headers(reply)
    return error


def carries_the_headers(reply: Any) -> None:
    assert reply["X-API-Version"] == "v1"
    assert reply["Cache-Control"] == "private, no-store"
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert int(reply["X-RateLimit-Remaining"]) <= int(reply["X-RateLimit-Limit"])
    assert int(reply["X-RateLimit-Reset"]) <= time.time() + 62
    assert reply["RateLimit-Policy"]
    assert reply["RateLimit"]
    assert int(reply["Content-Length"]) == len(reply.content)
    assert not [name for name in reply.headers if name.lower().startswith("access-control-")]
    assert "Set-Cookie" not in reply.headers
    assert "X-Powered-By" not in reply.headers


def stranger() -> factories.ApiClient:
    return factories.api_client()


# Routes and methods


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1//patients", "/v1/a%0Ab", "/v1/a%0A", "/v2", "/v2/patients", "/v99/"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_where_there_is_no_route_the_answer_names_v1(method: str, path: str) -> None:
    error = error_of(Client().generic(method, path), 404, "NOT_FOUND")
    assert "/v1" in error["message"]


@pytest.mark.parametrize("path", ["/v1", "/v1/"])
def test_the_api_begins_with_an_index(path: str) -> None:
    reply = Client().get(path)
    assert reply.status_code == 200
    assert reply.json()["data"] == {
        "version": settings.HIMS_VERSION,
        "api_version": "v1",
        "links": {
            "api": f"{settings.HIMS_BASE_URL}/v1",
            "openapi": f"{settings.HIMS_BASE_URL}/v1/openapi.json",
            "documentation": f"{settings.HIMS_BASE_URL}/developers/",
            "error_codes": f"{settings.HIMS_BASE_URL}/developers/errors",
            "changelog": f"{settings.HIMS_BASE_URL}/developers/changelog",
        },
    }
    carries_the_headers(reply)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/v1", "/v1/"])
def test_the_index_is_only_read(method: str, path: str) -> None:
    assert Client().generic(method, path).json()["error"]["code"] == "METHOD_NOT_ALLOWED"


def test_the_method_is_judged_before_the_parameters() -> None:
    refused = Client().put("/v1/version?fields=version&colour=red")
    error_of(refused, 405, "METHOD_NOT_ALLOWED")
    assert refused["Allow"] == "GET, HEAD"


def test_a_path_without_a_route_counts_against_the_person_who_asks(staff: dict[str, User]) -> None:
    nurse, doctor = factories.api_client(staff["nurse"]), factories.api_client(staff["doctor"])
    before = int(doctor.get("/nowhere")["X-RateLimit-Remaining"])
    for _ in range(3):
        assert nurse.get("/nowhere").status_code == 404
    assert int(doctor.get("/nowhere")["X-RateLimit-Remaining"]) == before - 1
    assert Client(headers={"authorization": "Bearer none-of-ours"}).get("/v1/nowhere").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v1/patients/%00",
        "/v1/patients/a%00b",
        "/v1/%2e%2e",
        "/v1/patients/%2e%2e/%2e%2e/admin/",
        "/v1/patients/..%2f..%2fetc%2fpasswd",
        "/v1/patients/" + "a" * 8_000,
        "/v1/" + "a/" * 2_000,
        "/v1/patients/%ff%fe",
        "/v1/patients/%ed%a0%80",
        "/v1/patients/%E2%80%AE",
        "/v1/patients/;",
        "/v1/patients/%25",
        "/v1/patients/'%20OR%201=1--",
        "/v1/patients/{id}",
        "/v1/patients/%0d%0aSet-Cookie:x=y",
        "/v1/doctors/%00",
    ],
)
def test_an_odd_path_names_nothing(staff: dict[str, User], path: str) -> None:
    client = Client(headers={"authorization": f"Bearer {factories.api_client(staff['nurse']).token}"})
    error_of(client.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "query",
    [
        "search=%ff",
        "search=a%00b",
        "search=%ed%a0%80",
        "search=" + "a" * 5_000,
        "page=%00",
        "search=%25_%5C",
        "a=%00",
        "&&&",
        "=",
        "page=1&page=x",
    ],
)
def test_an_odd_query_is_read_or_refused(staff: dict[str, User], query: str) -> None:
    for where in ("/patients", "/doctors"):
        reply = factories.api_client(staff["nurse"]).get(f"{where}?{query}")
        assert reply.status_code in (200, 400), reply.content


def test_too_many_parameters_are_refused(staff: dict[str, User]) -> None:
    error_of(
        factories.api_client(staff["nurse"]).get("/doctors?" + "&".join(f"a{n}=1" for n in range(2_000))), 400, "VALIDATION_ERROR"
    )


@pytest.mark.parametrize("path", ["/v1/version", "/v1/version/"])
def test_both_slash_forms_answer_without_a_redirect(path: str) -> None:
    assert Client().get(path).status_code == 200


@pytest.mark.parametrize("path", ["/v1/auth/login", "/v1/auth/login/"])
def test_a_body_survives_the_slash(path: str) -> None:
    reply = Client().post(path, {"username": "a", "password": "b", "nope": 1}, content_type="application/json")
    assert error_of(reply, 400, "VALIDATION_ERROR")["details"]["field"] == "nope"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "LINK"])
def test_a_method_that_is_not_offered_is_refused_with_those_that_are(method: str) -> None:
    reply = Client().generic(method, "/v1/version")
    error_of(reply, 405, "METHOD_NOT_ALLOWED")
    assert reply["Allow"] == "GET, HEAD"


def test_a_preflight_gets_nothing_to_go_by() -> None:
    reply = Client(headers={"origin": "https://evil.example", "access-control-request-method": "POST"}).options("/v1/auth/login")
    error_of(reply, 405, "METHOD_NOT_ALLOWED")


def test_head_answers_as_get_does_without_a_body(staff: dict[str, User]) -> None:
    nurse = factories.api_client(staff["nurse"])
    get, head = nurse.get("/doctors"), nurse.call("HEAD", "/doctors")
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Length"] == get["Content-Length"]
    assert set(head.headers) == set(get.headers)


# Bodies


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "text/*", "application/json;q=0.5;v=2, text/html;level", ";;;,/", "x"]
)
def test_a_client_that_accepts_no_json_is_refused_in_json(accept: str) -> None:
    reply = Client(headers={"accept": accept}).get("/v1/version")
    if reply.status_code != 200:
        error_of(reply, 406, "NOT_ACCEPTABLE")
    assert reply["Content-Type"] == "application/json"


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/*", "text/html, */*;q=0.1"])
def test_a_client_that_accepts_json_gets_it(accept: str) -> None:
    assert Client(headers={"accept": accept}).get("/v1/version").status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "", ";/;"]
)
def test_only_json_is_read(kind: str) -> None:
    error_of(Client().generic("POST", "/v1/auth/login", b"{}", content_type=kind), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("raw", ["", "{}"])
def test_an_empty_body_lacks_what_is_required(raw: str) -> None:
    error = error_of(stranger().post("/auth/login", raw), 400, "VALIDATION_ERROR")
    assert {row["field"] for row in error["details"]["errors"]} >= {"username", "password"}


@pytest.mark.parametrize(
    "raw", ["{", "[]", '{"username":"a","username":"b"}', '{"username":1e999999999999999999}', b"\xff", '{"username":"\\u0000"}']
)
def test_a_body_that_is_no_good_json_is_refused(raw: Any) -> None:
    error_of(stranger().post("/auth/login", raw), 400, "VALIDATION_ERROR")


def test_a_large_body_is_refused_before_it_is_read() -> None:
    class NeverRead:
        def read(self, *args: int) -> bytes:
            raise AssertionError("the body was read")

        readline = read

    reply = Client().generic(
        "POST", "/v1/auth/login", b"", content_type="application/json", CONTENT_LENGTH="50000000", **{"wsgi.input": NeverRead()}
    )
    error_of(reply, 413, "PAYLOAD_TOO_LARGE")


def test_a_mebibyte_may_come_and_a_byte_more_may_not() -> None:
    frame = '{"username":"a","password":"%s"}'
    fits = frame % ("x" * (1024 * 1024 - len(frame) + 2))
    error_of(stranger().post("/auth/login", fits), 400, "VALIDATION_ERROR")  # read, and the password too long
    error_of(stranger().post("/auth/login", fits + " "), 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "\u00b2", "99999999999999999999999999"])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    reply = Client().generic("POST", "/v1/auth/login", b"{}", content_type="application/json", CONTENT_LENGTH=length)
    error_of(reply, 413, "PAYLOAD_TOO_LARGE")


# Who, and where to


def test_another_host_name_is_refused() -> None:
    error = error_of(Client(headers={"host": "evil.example"}).get("/v1/version"), 400, "VALIDATION_ERROR")
    assert error["details"]["field"] == "Host"
    assert "evil.example" not in json.dumps(error)


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Bearer " + "x" * 9_000, "bearer a.b.c", "\u00ff", "Token x"]
)
def test_credentials_that_are_none_are_refused(authorization: str) -> None:
    reply = Client(headers={"authorization": authorization}).get("/v1/auth/me")
    error_of(reply, 401, "AUTHENTICATION_ERROR")
    assert reply["WWW-Authenticate"].startswith("Bearer")


def test_a_request_id_is_kept_and_is_the_same_everywhere(staff: dict[str, User]) -> None:
    reply = factories.api_client(staff["manager"]).get("/consultations", HTTP_X_REQUEST_ID="ward-7_0042")
    assert error_of(reply, 403, "AUTHORIZATION_ERROR")["request_id"] == reply["X-Request-ID"] == "ward-7_0042"
    assert AuditEvent.objects.get(outcome="denied").request_id == "ward-7_0042"


@pytest.mark.parametrize("given", ["short", "x" * 65, "forged\nline-of-log", "a b c d e f"])
def test_a_request_id_that_does_not_fit_is_replaced(given: str) -> None:
    assert OURS.fullmatch(Client(headers={"x-request-id": given}).get("/v1/version")["X-Request-ID"])


def test_a_denial_is_on_record_whatever_the_path(staff: dict[str, User]) -> None:
    manager = factories.api_client(staff["manager"])
    for odd in ("%00", "%ff", "a" * 3_000, "%0a"):
        error_of(manager.get(f"/patients/{odd}/medical-history"), 403, "AUTHORIZATION_ERROR")
    rows = AuditEvent.objects.filter(outcome="denied")
    assert rows.count() == 4
    assert "/v1/patients/%00/medical-history" in {row.detail["path"] for row in rows}


# When something goes wrong


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unexpected_error_is_reported_without_details_and_logged_whole(method: str, caplog: pytest.LogCaptureFixture) -> None:
    reply = Client(raise_request_exception=False).generic(method, "/v1/unforeseen")
    error_of(reply, 500, "INTERNAL_ERROR")
    assert b"swordfish" not in reply.content
    assert b"Traceback" not in reply.content
    assert "swordfish" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.urls(__name__)
def test_an_unavailable_database_is_reported_as_a_pause() -> None:
    reply = Client().get("/v1/no-database")
    error_of(reply, 503, "SERVICE_UNAVAILABLE")
    assert reply["Retry-After"] == "2"
    assert b"10.0.0.5" not in reply.content


def test_a_429_says_when_to_come_back() -> None:
    body = {"username": "nobody", "password": "wrong"}
    replies = [stranger().post("/auth/login", body) for _ in range(6)]
    assert [reply.status_code for reply in replies] == [401] * 5 + [429]
    assert [reply["X-RateLimit-Remaining"] for reply in replies] == ["4", "3", "2", "1", "0", "0"]
    last = replies[-1]
    error = error_of(last, 429, "RATE_LIMITED")
    assert last["Retry-After"] == last["X-RateLimit-Retry-After"] == str(error["details"]["retry_after"])
    assert 55 < int(last["Retry-After"]) <= 61


def test_a_name_in_other_letters_is_the_same_name_to_the_limit() -> None:
    names = ["Nobody", "nobody", " NOBODY ", "nobodY", "NoBody", "nobody "]
    assert [stranger().post("/auth/login", {"username": name, "password": "wrong"}).status_code for name in names][-1] == 429


def test_a_caller_without_a_route_is_limited_by_address(settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 0.01  # five a minute
    statuses = [Client().get("/v1/nowhere").status_code for _ in range(7)]
    assert statuses == [404] * 5 + [429] * 2
    assert Client(REMOTE_ADDR="192.0.2.7").get("/v1/nowhere").status_code == 404


def test_each_person_has_a_quota_of_their_own(staff: dict[str, User], settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 0.004  # two a minute
    nurse, doctor = factories.api_client(staff["nurse"]), factories.api_client(staff["doctor"])
    assert [nurse.get("/doctors").status_code for _ in range(3)] == [200, 200, 429]
    assert doctor.get("/doctors").status_code == 200


def test_a_search_for_patients_has_a_class_of_its_own(staff: dict[str, User]) -> None:
    nurse = factories.api_client(staff["nurse"])
    assert nurse.get("/patients")["X-RateLimit-Limit"] == str(limits.PER_MINUTE[RateClass.PATIENT_SEARCH])
    assert nurse.get("/doctors")["X-RateLimit-Limit"] == str(limits.PER_MINUTE[RateClass.RETRIEVAL])
    assert nurse.post("/patients", {})["X-RateLimit-Limit"] == str(limits.PER_MINUTE[RateClass.MODIFICATION])


def test_pages_keep_what_django_gives_them() -> None:
    page = Client().get("/admin/login/")
    assert page["X-Frame-Options"] == "DENY"
    assert page["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"}).status_code == 403


# Lists


def test_a_page_past_the_end_is_empty(staff: dict[str, User]) -> None:
    reply = factories.api_client(staff["nurse"]).get("/doctors?page=50&limit=500")
    assert reply.json()["data"] == {"doctors": [], "pagination": {"page": 50, "limit": 100, "total": 1, "pages": 1}}


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "page=0", "page=99999999999", "colour=red", "offset=1"])
def test_a_parameter_that_cannot_be_is_named(staff: dict[str, User], query: str) -> None:
    error = error_of(factories.api_client(staff["nurse"]).get(f"/doctors?{query}"), 400, "VALIDATION_ERROR")
    assert error["details"]["field"] == query.partition("=")[0]


def test_page_and_offset_do_not_go_together(staff: dict[str, User]) -> None:
    doctor, patient = factories.api_client(staff["doctor"]), factories.register_patient()
    assert doctor.get(f"/patients/{patient.pk}/medical-history?offset=0&limit=5").status_code == 200
    error_of(doctor.get(f"/patients/{patient.pk}/medical-history?offset=0&page=1"), 400, "VALIDATION_ERROR")


def test_links_are_followed_from_the_first_page_to_the_last(staff: dict[str, User]) -> None:
    for n in range(5):
        factories.register_patient(first_name=f"Patient{chr(65 + n)}")
    nurse, seen, where = factories.api_client(staff["nurse"]), [], "/patients?limit=2"
    while where:
        reply = nurse.get(where)
        seen += [row["id"] for row in reply.json()["data"]["patients"]]
        onward = re.search(r'<([^>]*)>; rel="next"', reply["Link"])
        where = onward[1].removeprefix("/v1") if onward else ""
    assert len(seen) == len(set(seen)) == 5


# The audit log


def test_no_password_and_no_token_ever_lands_in_the_trail(staff: dict[str, User]) -> None:
    receptionist_api = stranger()
    signed_in = receptionist_api.post(
        "/auth/login", {"username": staff["receptionist"].username, "password": factories.PASSWORD}
    ).json()["data"]["tokens"]
    receptionist_api.post("/auth/login", {"username": staff["nurse"].username, "password": "a wrong guess of mine"})
    receptionist_api.post("/auth/login", {"username": "my-password-typed-as-name", "password": "a wrong guess of mine"})
    receptionist_api.token = signed_in["access_token"]
    receptionist_api.post(
        "/patients", {"first_name": "Ann", "last_name": "Lee", "date_of_birth": "1990-01-01", "gender": "female"}
    )
    receptionist_api.get("/patients?search=Ann")
    renewed = receptionist_api.post("/auth/refresh", {"refresh_token": signed_in["refresh_token"]}).json()["data"]["tokens"]
    receptionist_api.post("/auth/logout", {})
    rows = json.dumps(list(AuditEvent.objects.values()), default=str)
    assert AuditEvent.objects.filter(action="patient.registered").count() == 1
    assert AuditEvent.objects.filter(outcome="denied").count() == 2
    secrets = [factories.PASSWORD, "a wrong guess of mine", "my-password-typed-as-name", *signed_in.values(), *renewed.values()]
    assert not [secret for secret in secrets if isinstance(secret, str) and secret in rows]
    assert "eyJ" not in rows


@pytest.mark.parametrize(
    ("query", "field", "issue"),
    [
        ("is_active=banana", "is_active", "Must be true or false."),
        ("is_active=no", "is_active", "Must be true or false."),
        ("is_active=", "is_active", "Must not be empty: give a value, or leave the parameter out."),
        ("role=nurse&role=doctor", "role", "Send this parameter once."),
        ("role=", "role", "Must not be empty: give a value, or leave the parameter out."),
        ("limit=5&limit=6", "limit", "Send this parameter once."),
    ],
)
def test_a_parameter_that_could_mean_two_things_is_refused(staff: dict[str, User], query: str, field: str, issue: str) -> None:
    error = error_of(factories.api_client(staff["admin"]).get(f"/users?{query}"), 400, "VALIDATION_ERROR")
    assert error["details"] == {
        "reason": "validation_error",
        "field": field,
        "issue": issue,
        "errors": [{"field": field, "issue": issue}],
    }


@pytest.mark.parametrize(("query", "active"), [("true", True), ("TRUE", True), ("1", True), ("False", False), ("0", False)])
def test_yes_and_no_are_read_in_every_usual_form(staff: dict[str, User], query: str, active: bool) -> None:
    User.objects.filter(pk=staff["nurse"].pk).update(is_active=False)
    rows = factories.api_client(staff["admin"]).get(f"/users?is_active={query}").json()["data"]["users"]
    assert {row["is_active"] for row in rows} == {active}
    assert (str(staff["nurse"].pk) in [row["id"] for row in rows]) is not active
