"""The table of what ends, against the routes, the OpenAPI file and the page."""

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.developers.contract import openapi
from apps.rest import deprecations
from hims.tests import factories
from hims.tests.test_permissions import doors

pytestmark = pytest.mark.django_db

WHERE = "/sandbox/deprecated"


def test_the_sandbox_shows_what_a_deprecated_operation_looks_like(staff: dict[str, User]) -> None:
    reply = factories.api_client(staff["nurse"]).get(WHERE)
    assert reply.status_code == 200
    for answer in (reply, factories.api_client().get(WHERE), factories.api_client(staff["nurse"]).get(f"{WHERE}?colour=red")):
        assert answer.headers["X-API-Version"] == "v1"
        assert answer.headers["X-API-Deprecated"] == "This endpoint will be removed in v2.0"
        assert answer.headers["X-API-Sunset"] == "2027-11-22"
        assert answer.headers["Sunset"] == "Mon, 22 Nov 2027 00:00:00 GMT"
        assert answer.headers["Deprecation"] == "@1795305600"
        assert 'rel="deprecation"' in answer.headers["Link"]
    assert "X-API-Deprecated" not in factories.api_client().get("/version").headers


def test_the_file_marks_what_ends_and_nothing_else() -> None:
    marked = {
        (method.upper(), path)
        for path, methods in openapi.as_dict()["paths"].items()
        for method, operation in methods.items()
        if operation.get("deprecated")
    }
    assert marked == {(row.method, row.path) for row in deprecations.listed()} == {("GET", WHERE)}


def test_every_row_names_an_operation_that_is_there() -> None:
    known = {(method.upper(), path) for path, method, *_ in doors()}
    assert {(row.method, row.route) for row in deprecations.listed()} <= known


def test_the_page_lists_what_ends() -> None:
    page = Client().get("/developers/deprecations").content.decode()
    assert 'id="get-sandbox-deprecated"' in page
    assert "22 November 2027" in page
    assert "Idempotency-Key" in Client().get("/developers/guarantees").content.decode()
