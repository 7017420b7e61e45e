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

from apps.access.tests.role_table import Samples
from apps.accounts.models import User
from hims.tests import contracts, factories
from hims.tests.contracts import ENDS_SESSION
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
def rows(staff: dict[str, User]) -> Samples:
    """Rows that exist, so that a request goes on to its parameters."""
    return contracts.samples(staff)


@pytest.fixture
def administrator(staff: dict[str, User]) -> User:
    return staff["admin"]


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


def concrete(path: str, rows: Samples) -> str:
    return contracts.address_of(f"GET {path}", rows).partition("?")[0]


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
def test_no_filter_search_or_cursor_of_a_list_reaches_postgres_unread(administrator: User, rows: Samples) -> None:
    api_client, failed = caller_of(administrator), []
    with what_postgres_logs() as log:
        count = 0
        for _, path, operation, _ in operations("get"):
            for parameter in operation.get("parameters", []):
                if parameter["in"] != "query":
                    continue
                for value in VALUES + CURSORS * (parameter["name"] == "cursor"):
                    count += 1
                    asked = f"{concrete(path, rows)}?{urlencode({parameter['name']: value})}"
                    if api_client.get(asked).status_code >= 500:
                        failed.append(asked)
    assert count > 1_000
    assert not failed, "\n".join(failed)
    assert is_quiet(log[0]), log[0][-2000:]


@pytest.mark.usefixtures("unlimited")
def test_no_id_in_a_path_reaches_postgres_unread(administrator: User, rows: Samples) -> None:
    api_client, failed = caller_of(administrator), []
    with what_postgres_logs() as log:
        count = 0
        for method, path, _, _ in operations("get", "post", "put", "patch", "delete"):
            for value in VALUES if "{" in path else ():
                count += 1
                # The last id is hostile and those before it are real, so that the request gets as far as the last.
                there = re.sub(r"{\w+}(?!.*{)", quote(value, safe="").replace("\\", r"\\"), path)
                if api_client.call(method, concrete(there, rows), {}).status_code >= 500:
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
def test_no_field_of_a_body_reaches_postgres_unread(administrator: User, rows: Samples) -> None:
    """All fields hostile at once, and each alone in a body that is the example otherwise."""
    api_client, failed = caller_of(administrator), []
    with what_postgres_logs() as log:
        count = 0
        for method, path, operation, schemas in operations("post", "put", "patch"):
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if not content or f"{method} {path}" in ENDS_SESSION:
                continue
            examples = [one["value"] for one in content.get("examples", {}).values()]
            bodies = [hostile(content["schema"], schemas, value) for value in (*VALUES, 10**30, True)]
            fields = hostile(content["schema"], schemas, MARKER)
            if isinstance(fields, dict):  # a body without fields is the value itself
                bodies += [example | {name: value} for example in examples for name, value in fields.items()]
            for body in bodies:
                count += 1
                reply = api_client.call(method, concrete(path, rows), body)
                if reply.status_code >= 500:
                    failed.append(f"{method} {path} {json.dumps(body)}")
    assert count > 500
    assert not failed, "\n".join(failed)
    assert is_quiet(log[0]), log[0][-2000:]


@pytest.mark.usefixtures("unlimited")
def test_no_header_or_cookie_reaches_postgres_unread(administrator: User, rows: Samples) -> None:
    api_client = caller_of(administrator)
    headers = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IDEMPOTENCY_KEY", "HTTP_X_REQUEST_ID", "HTTP_X_FORWARDED_FOR")
    with what_postgres_logs() as log:
        for value in VALUES:
            for header in (*headers, "HTTP_X_API_KEY", "HTTP_AUTHORIZATION", "HTTP_USER_AGENT", "HTTP_ACCEPT_LANGUAGE"):
                for method, path, body in (
                    ("GET", concrete("/patients/{id}", rows), None),
                    ("POST", "/patients", {"mrn": MARKER}),
                ):
                    assert api_client.call(method, path, body, **{header: value}).status_code < 500
            assert Client(headers={"Cookie": f"sessionid={quote(value)}"}).get("/admin/").status_code < 500
            assert Client(REMOTE_ADDR=value).get("/v1/version").status_code < 500
    assert is_quiet(log[0]), log[0][-2000:]


def some_or_all(step: int) -> pytest.MarkDecorator:
    """Pages take long: tries each `step`th request, or in a full run all. A step that has no factor in common with the number of
    values gives every value its turn."""
    return pytest.mark.parametrize("every", [pytest.param(step, id="some"), pytest.param(1, id="all", marks=pytest.mark.full)])


def pages(staff: dict[str, User]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The lists of the admin, each with parameters that it may read, and the other pages with those that their app states."""
    lists = set()
    for model, model_admin in admin.site._registry.items():
        filters = [one if isinstance(one, str) else getattr(one, "parameter_name", None) for one in model_admin.list_filter]
        with suppress(NoReverseMatch):
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            lists.add(address)
            yield address, ("q", "p", "o", "id", *filter(None, filters), *model_admin.list_parameters)
    for addresses, parameters in contracts.parameters_of_pages(staff):
        for address in sorted({address.partition("?")[0] for address in addresses} - lists):
            yield address, parameters


@pytest.mark.usefixtures("unlimited")
@some_or_all(59)
def test_no_parameter_of_a_page_reaches_postgres_unread(every: int, administrator: User, staff: dict[str, User]) -> None:
    browser, failed = factories.browser(administrator), []
    browser.raise_request_exception = False
    with what_postgres_logs() as log:
        requests = [(page, {name: value}) for page, names in pages(staff) for name in names for value in VALUES]
        for page, query in requests[::every]:
            if browser.get(page, query).status_code >= 500:
                failed.append(f"{page} {query}")
    assert len(requests) > 10_000
    assert not failed, "\n".join(failed)
    assert is_quiet(log[0]), log[0][-2000:]


def paths() -> Iterator[str]:
    """The address of every page of one row, with the place of its id."""
    for model_urls in admin.site.urls[0]:
        for page in getattr(model_urls, "url_patterns", ()):
            if "object_id" in str(page.pattern):
                yield f"/admin/{model_urls.pattern}{page.pattern}"


@pytest.mark.usefixtures("unlimited")
@some_or_all(29)
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
