"""Long JSON is sent in gzip to clients that take it; a reply that holds a secret never is."""

import gzip
import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from apps.accounts.models import User
from apps.rest import middleware
from hims.tests import factories

LONG = b'"' + b"a" * 5_000 + b'"'


def compressed(content: bytes = LONG, *, path: str = "/v1/patients", accepts: str = "gzip", **marks: Any) -> bool:
    """Whether a reply with this content is sent in gzip."""
    response = HttpResponse(content, content_type=marks.pop("content_type", "application/json"))
    vars(response).update(marks)
    middleware._compress(RequestFactory(headers={"accept-encoding": accepts}).get(path), response)
    return response.headers.get("Content-Encoding") == "gzip"


@pytest.mark.django_db
def test_the_openapi_file_is_compact_and_compressed() -> None:
    plain = Client().get("/v1/openapi.json")
    small = Client(headers={"accept-encoding": "br, gzip"}).get("/v1/openapi.json")
    assert b'": ' not in plain.content[:2_000].replace(b'`": ', b"")
    assert small["Content-Encoding"] == "gzip"
    assert int(small["Content-Length"]) == len(small.content) < len(plain.content) / 5
    assert json.loads(gzip.decompress(small.content)) == plain.json()
    assert "Accept-Encoding" in small["Vary"]
    assert "Accept-Encoding" in plain["Vary"]
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize(
    ("accepts", "is_compressed"),
    [("gzip", True), ("br;q=1, gzip;q=0.5", True), ("", False), ("identity", False), ("gzip;q=0", False), ("gzip;q=0.0", False)],
)
def test_only_a_client_that_takes_gzip_gets_it(accepts: str, is_compressed: bool) -> None:
    assert compressed(accepts=accepts) is is_compressed


def test_what_is_short_or_no_json_is_sent_as_it_is() -> None:
    assert not compressed(b'"short"')
    assert not compressed(content_type="text/calendar; charset=utf-8")


def test_a_reply_that_holds_a_secret_is_sent_as_it_is() -> None:
    assert compressed()
    assert not compressed(holds_secret=True)
    assert not compressed(path="/v1/auth/login")


@pytest.mark.django_db
def test_a_secret_marks_its_reply(staff: dict[str, User]) -> None:
    nurse = factories.api_client(staff["nurse"])
    made = nurse.post("/api-keys", {"name": "Night shift", "scopes": ["patients:read"]})
    assert made.status_code == 201
    assert made.holds_secret
    assert not nurse.get("/patients").holds_secret


@pytest.mark.django_db
def test_the_etag_of_a_compressed_reply_serves_if_match(staff: dict[str, User]) -> None:
    desk = factories.api_client(staff["receptionist"])
    path = f"/patients/{factories.register_patient(street='S' * 200, emergency_name='E' * 200, city='C' * 100).pk}"
    plain, small = desk.get(path), desk.get(path, HTTP_ACCEPT_ENCODING="gzip")
    assert small["Content-Encoding"] == "gzip"
    assert small["ETag"] == plain["ETag"]
    assert not small["ETag"].startswith("W/")
    assert desk.put(path, {"address": {"city": "Lyon"}}, HTTP_IF_MATCH=small["ETag"]).status_code == 200
    assert desk.put(path, {"address": {"city": "Nice"}}, HTTP_IF_MATCH=small["ETag"]).status_code == 412
