"""Tests run on real servers: the embedded ones, in a data folder of their own, unless DATABASE_URL and REDIS_URL name others.

With several workers (pytest-xdist) every worker has a folder and servers of its own; `hims.settings.test` names the folder.
"""

import gc
import os
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from django.conf import settings

from apps.common import redis_client
from hims.launch import embedded
from hims.launch.errors import CannotStart

os.environ.setdefault("HIMS_ENV", "test")

MOST_WORKERS = 4
# The files that take longest, the longest first: they begin first, so that no worker is left alone with one at the end.
LONGEST = [
    "hims/tests/test_admin_pages.py",
    "hims/tests/test_slow_clients.py",
    "hims/launch/tests/test_run.py",
    "hims/tests/journeys/test_first_start.py",
    "hims/tests/journeys/test_workers.py",
    "hims/tests/test_developer_pages.py",
    "apps/patients/tests/test_search.py",
    "hims/tests/test_live.py",
    "apps/sandbox/tests/test_services.py",
    "hims/tests/test_matrix.py",
    "apps/patients/tests/test_restricted.py",
    "hims/launch/tests/test_embedded.py",
    "hims/launch/tests/test_files.py",
    "hims/tests/journeys/test_booking_races.py",
    "apps/patients/tests/test_tally.py",
    "hims/tests/test_admin_permissions.py",
    "apps/patients/tests/test_merging_undo.py",
    "apps/sandbox/tests/test_command.py",
    "hims/tests/test_hostile_input.py",
    "hims/tests/journeys/test_waitlist_races.py",
    "hims/tests/guarantees/test_crashes.py",
]

pytest_plugins = ["apps.accounts.tests.plugin", "hims.tests.table_cleaner"]
_stack = ExitStack()


def others_servers() -> bool:
    return "DATABASE_URL" in os.environ or "REDIS_URL" in os.environ


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one more than there are processors, because a test waits for servers, browsers and clocks in a quarter of its
    time; one alone on servers that others named, because workers empty Redis."""
    return 1 if others_servers() else min((os.cpu_count() or 1) + 1, MOST_WORKERS)


def pytest_configure(config: pytest.Config) -> None:
    if config.option.help or config.option.version:
        return
    gc.disable()  # until all tests are collected: all that is imported stays, and to look for garbage among it took 6 s of 17
    workers = len(getattr(config.option, "tx", None) or [])
    if workers > 1 and others_servers():
        raise pytest.UsageError("DATABASE_URL or REDIS_URL is set: workers would share the servers it names. Use -n 0.")
    if workers and not hasattr(config, "workerinput"):
        return  # the workers start their own
    try:
        _stack.enter_context(embedded.servers(durable=False))
    except CannotStart as error:
        pytest.exit(str(error), returncode=1)


def pytest_unconfigure() -> None:
    _stack.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))
    if os.environ.get("HIMS_TEST_FULL") == "1":
        return
    skip = pytest.mark.skip(reason="the long numbers run with `make test-all`")
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(skip)


def pytest_collection_finish() -> None:
    gc.freeze()  # no later collection goes through the modules and the tests again
    gc.enable()


@pytest.fixture(autouse=True)
def empty_redis() -> None:
    """Empties Redis and closes its breaker before each test."""
    redis_client.breaker.reset()
    with suppress(redis_client.RedisUnavailable):
        redis_client.run(lambda client: client.flushdb())


@pytest.fixture(autouse=True)
def no_anchor_file() -> None:
    """Removes the anchor file before each test, because each test has an audit chain of its own."""
    Path(settings.HIMS_AUDIT_ANCHOR_FILE).unlink(missing_ok=True)
