"""No hostile parameter, id, cursor, header or body reaches PostgreSQL as a value that it cannot read.

PostgreSQL quotes such a value in the message itself ("invalid input syntax for type uuid: …"), and no log setting keeps the
message out of its log. The value may be a patient's words, so HIMS must refuse it first.
"""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.db import DataError, connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from drf_spectacular.generators import SchemaGenerator

from apps.accounts.models import User
from hims.tests import factories
from hims.tests.test_server_logs import what_postgres_logs

pytestmark = pytest.mark.django_db(transaction=True)

MARKER = "Zyxmarker"
VALUES = (
    MARKER,
    f"{MARKER}' OR 1=1 --",
    f"({MARKER}[ & | ! :* \\",  # neither a regular expression nor a text search
    f"%{MARKER}\x00%",
    "zyxmarke-r000-4000-8000-000000000000",
    "9" * 40,
    "-1",
    "1e400",
    "9999-12-31T23:59:59.999999+14:00",
    "0001-01-01T00:00:00-14:00",
    "99999-13-45",
    '{"a": [' + MARKER,
)
# A number and an id, as a cursor holds them, and bytes that are no cursor.
CURSORS = tuple(
    urlsafe_b64encode(raw).decode()
    for raw in (b"\xff" * 24, b"\x7f" + b"\xff" * 23, b"\x80" + bytes(23), bytes(24), MARKER.encode(), b"")
)


@pytest.fixture
def unlimited(settings: Any) -> None:
    settings.HIMS_RATE_LIMIT_SCALE = 10_000.0


@pytest.fixture
def ids() -> dict[str, str]:
    """Rows that exist, by the noun of their path, so that a request goes on to its parameters."""
    patient, doctor = factories.register_patient(), factories.hire("hostile.doctor", "doctor")
    factories.publish(doctor)
    return {
        "patients": str(patient.pk),
        "doctors": str(doctor.pk),
        "appointments": str(factories.booked(patient, doctor).pk),
        "consultations": str(factories.start_consultation(doctor, patient).row.pk),
    }


@pytest.fixture
def administrator() -> User:
    return factories.hire("hostile.admin", "admin")


def caller_of(user: User) -> factories.ApiClient:
    """A caller who is answered 500 instead of being raised at."""
    api_client = factories.api_client(user)
    api_client.client.raise_request_exception = False
    return api_client


def operations(*methods: str) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Method, path template, description and schemas of every operation of the API."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    for path, by_method in document["paths"].items():
        for method, operation in by_method.items():
            if method in methods:
                yield method.upper(), path, operation, document["components"]["schemas"]


def concrete(path: str, ids: dict[str, str]) -> str:
    collection = path.split("/")[1]
    first = re.sub(r"{\w+}", ids.get(collection, ids["patients"]), path, count=1)
    return re.sub(r"{\w+}", ids["patients"], first)


def is_quiet(log: str) -> bool:
    """Whether PostgreSQL complained of nothing but rules of the database, whose messages quote no value."""
    errors = [line for line in log.splitlines() if re.search(r" (ERROR|FATAL|PANIC): ", line)]
    return MARKER.lower() not in log.lower() and not [line for line in errors if "violates" not in line]


def test_a_value_that_postgres_cannot_read_is_seen_in_its_log() -> None:
    """What the tests below look for."""
    with what_postgres_logs() as log, connection.cursor() as cursor, pytest.raises(DataError):
        cursor.execute("SELECT CAST(%s AS uuid)", [MARKER])
    assert not is_quiet(log[0])


@pytest.mark.usefixtures("unlimited")
def test_no_filter_search_or_cursor_of_a_list_reaches_postgres_unread(administrator: User, ids: dict[str, str]) -> None:
    api_client, failed = caller_of(administrator), []
    with what_postgres_logs() as log:
        count = 0
        for _, path, operation, _ in operations("get"):
            for parameter in operation.get("parameters", []):
                if parameter["in"] != "query":
                    continue
                for value in VALUES + CURSORS * (parameter["name"] == "cursor"):
                    count += 1
                    asked = f"{concrete(path, ids)}?{urlencode({parameter['name']: value})}"
                    if api_client.get(asked).status_code >= 500:
                        failed.append(asked)
    assert count > 1_000
    assert not failed, "\n".join(failed)
    assert is_quiet(log[0]), log[0][-2000:]


@pytest.mark.usefixtures("unlimited")
def test_no_id_in_a_path_reaches_postgres_unread(administrator: User, ids: dict[str, str]) -> None:
    api_client, failed = caller_of(administrator), []
    with what_postgres_logs() as log:
        count = 0
        for method, path, _, _ in operations("get", "post", "put", "patch", "delete"):
            for value in VALUES if "{" in path else ():
                count += 1
                # The last id is hostile and those before it are real, so that the request gets as far as the last.
                there = re.sub(r"{\w+}(?!.*{)", quote(value, safe="").replace("\\", r"\\"), path)
                if api_client.call(method, concrete(there, ids), {}).status_code >= 500:
                    failed.append(f"{method} {there}")
    assert count > 500
    assert not failed, "\n".join(failed)
    assert is_quiet(log[0]), log[0][-2000:]


def hostile(schema: dict[str, Any], schemas: dict[str, Any], value: Any, *, depth: int = 0) -> Any:
    """A body of this schema whose every leaf is the value."""
    if "$ref" in schema:
        return hostile(schemas[schema["$ref"].rpartition("/")[2]], schemas, value, depth=depth + 1)
    for several in ("allOf", "oneOf", "anyOf"):
        if several in schema:
            return hostile(schema[several][0], schemas, value, depth=depth + 1)
    if schema.get("type") == "array":
        return [hostile(schema.get("items", {}), schemas, value, depth=depth + 1)]
    if schema.get("properties") and depth < 8:
        return {name: hostile(part, schemas, value, depth=depth + 1) for name, part in schema["properties"].items()}
    return value


@pytest.mark.usefixtures("unlimited")
def test_no_field_of_a_body_reaches_postgres_unread(administrator: User, ids: dict[str, str]) -> None:
    """All fields hostile at once, and each alone in a body that is the example otherwise."""
    api_client, failed = caller_of(administrator), []
    with what_postgres_logs() as log:
        count = 0
        for method, path, operation, schemas in operations("post", "put", "patch"):
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if not content or path in ("/auth/logout", "/auth/password/change"):
                continue
            examples = [one["value"] for one in content.get("examples", {}).values()]
            bodies = [hostile(content["schema"], schemas, value) for value in (*VALUES, 10**30, True)]
            fields = hostile(content["schema"], schemas, MARKER)
            if isinstance(fields, dict):  # a body without fields is the value itself
                bodies += [example | {name: value} for example in examples for name, value in fields.items()]
            for body in bodies:
                count += 1
                reply = api_client.call(method, concrete(path, ids), body)
                if reply.status_code >= 500:
                    failed.append(f"{method} {path} {json.dumps(body)}")
    assert count > 500
    assert not failed, "\n".join(failed)
    assert is_quiet(log[0]), log[0][-2000:]


@pytest.mark.usefixtures("unlimited")
def test_no_header_or_cookie_reaches_postgres_unread(administrator: User, ids: dict[str, str]) -> None:
    api_client = caller_of(administrator)
    headers = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IDEMPOTENCY_KEY", "HTTP_X_REQUEST_ID", "HTTP_X_FORWARDED_FOR")
    with what_postgres_logs() as log:
        for value in VALUES:
            for header in (*headers, "HTTP_X_API_KEY", "HTTP_AUTHORIZATION", "HTTP_USER_AGENT", "HTTP_ACCEPT_LANGUAGE"):
                for method, path, body in (("GET", f"/patients/{ids['patients']}", None), ("POST", "/patients", {"mrn": MARKER})):
                    assert api_client.call(method, path, body, **{header: value}).status_code < 500
            assert Client(headers={"Cookie": f"sessionid={quote(value)}"}).get("/admin/").status_code < 500
            assert Client(REMOTE_ADDR=value).get("/v1/version").status_code < 500
    assert is_quiet(log[0]), log[0][-2000:]


# Pages take long. 29 has no factor in common with the number of values, so that every value has its turn.
some_or_all = pytest.mark.parametrize("every", [pytest.param(29, id="some"), pytest.param(1, id="all", marks=pytest.mark.full)])
IN_PAGES = ("patient", "doctor", "appointment", "date", "at", "from", "until", "into", "other", "part", "seen", "room", "type")


def pages(patient: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The lists, forms and other pages of the admin, each with parameters that it may read."""
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        filters = [one if isinstance(one, str) else getattr(one, "parameter_name", None) for one in model_admin.list_filter]
        with suppress(NoReverseMatch):
            yield reverse(f"{name}_changelist"), ("q", "p", "o", "id", *filter(None, filters), *model_admin.list_parameters)
        with suppress(NoReverseMatch):
            yield reverse(f"{name}_add"), IN_PAGES
    for name in ("admin:schedule", "admin:queue", "admin:appointments_bulkreschedule_add"):
        yield reverse(name), IN_PAGES
    for action in ("merge", "not_same", "emergency"):
        with suppress(NoReverseMatch):
            yield reverse(f"admin:patients_patient_{action}", args=[patient]), ("into", "q", "other", "queue")


@pytest.mark.usefixtures("unlimited")
@some_or_all
def test_no_parameter_of_a_page_reaches_postgres_unread(every: int, administrator: User, ids: dict[str, str]) -> None:
    browser, failed = factories.browser(administrator), []
    browser.raise_request_exception = False
    with what_postgres_logs() as log:
        requests = [(page, {name: value}) for page, names in pages(ids["patients"]) for name in names for value in VALUES]
        for page, query in requests[::every]:
            if browser.get(page, query).status_code >= 500:
                failed.append(f"{page} {query}")
    assert len(requests) > 3_000
    assert not failed, "\n".join(failed)
    assert is_quiet(log[0]), log[0][-2000:]


def paths() -> Iterator[str]:
    """The address of every page of one row, with the place of its id."""
    for model_urls in admin.site.urls[0]:
        for page in getattr(model_urls, "url_patterns", ()):
            if "object_id" in str(page.pattern):
                yield f"/admin/{model_urls.pattern}{page.pattern}"


@pytest.mark.usefixtures("unlimited")
@some_or_all
def test_no_id_in_the_path_of_a_page_reaches_postgres_unread(every: int, administrator: User) -> None:
    browser, failed = factories.browser(administrator), []
    browser.raise_request_exception = False
    with what_postgres_logs() as log:
        requests = [re.sub(r"<[^>]+>", lambda _: quote(value, safe=""), path) for path in paths() for value in VALUES]  # noqa: B023
        for path in requests[::every]:
            if browser.get(path).status_code >= 500:
                failed.append(path)
    assert len(requests) > 300
    assert not failed, "\n".join(failed)
    assert is_quiet(log[0]), log[0][-2000:]
