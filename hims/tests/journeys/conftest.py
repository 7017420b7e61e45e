"""Several web processes and clerks, for journeys in which many want one thing at once; the desk in a browser."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from hims.tests import factories, live
from hims.tests.journeys.desk_jobs import browser, desk, john, morning, results, staff
from hims.tests.live import Reply, Web

__all__ = ["browser", "desk", "john", "morning", "results", "staff"]  # fixtures

CLERKS, PROCESSES, AT_ONCE = 5, 3, 32


@pytest.fixture(scope="module")
def servers(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Web]]:
    """Web processes, started once: what they serve is emptied between the tests."""
    logs = tmp_path_factory.mktemp("web")
    with ExitStack() as stack:
        yield [stack.enter_context(live.web(logs / f"{number}.log")) for number in range(PROCESSES)]


@pytest.fixture
def send(servers: list[Web]) -> Iterator[Callable[..., list[Reply]]]:
    """Sends requests all at once, spread over processes and clerks."""
    tokens = [factories.api_client(factories.hire(f"clerk.{number}", "receptionist")).token for number in range(CLERKS)]

    def one(call: tuple[int, tuple[str, str, Any]]) -> Reply:
        number, (method, path, body) = call
        token = tokens[number % CLERKS]
        return servers[number % PROCESSES].ask(method, f"/v1{path}", body, Authorization=f"Bearer {token}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield lambda *calls: list(pool.map(one, enumerate(calls)))
