"""The context of a request."""

from collections.abc import Iterator
from contextvars import copy_context
from threading import Thread

import pytest

from apps.common import context
from apps.common.context import RequestContext


@pytest.fixture(autouse=True)
def outside_a_request() -> Iterator[None]:
    context.enter(None)
    yield
    context.enter(None)


def test_outside_a_request_nothing_is_known() -> None:
    assert context.current() == RequestContext(request_id="", ip=None, purpose="", api_key="")


def test_what_is_noted_outside_a_request_is_forgotten() -> None:
    context.current().purpose = "emergency"
    assert context.current().purpose == ""


def test_what_is_noted_in_a_request_is_known_until_its_end() -> None:
    context.enter(RequestContext(request_id="req_12345678", ip="10.0.0.1"))
    context.current().purpose = "emergency"
    assert (context.current().request_id, context.current().purpose) == ("req_12345678", "emergency")
    context.enter(None)
    assert context.current() == RequestContext()


def test_one_request_knows_nothing_of_another() -> None:
    context.enter(RequestContext(request_id="req_12345678"))
    seen: list[str] = []
    other = Thread(target=lambda: seen.append(context.current().request_id))
    other.start()
    other.join()
    copy_context().run(context.enter, RequestContext(request_id="req_87654321"))
    assert (seen, context.current().request_id) == ([""], "req_12345678")
