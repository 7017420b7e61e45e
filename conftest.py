"""Tests run on real servers: the embedded ones, in a data folder of their own, unless DATABASE_URL and REDIS_URL name others."""

import os
from contextlib import ExitStack, suppress

import pytest

from apps.common import bus
from hims.launch import embedded
from hims.launch.errors import CannotStart

os.environ.setdefault("HIMS_ENV", "test")

_stack = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    if config.option.help or config.option.version:
        return
    try:
        _stack.enter_context(embedded.servers(durable=False))
    except CannotStart as error:
        pytest.exit(str(error), returncode=1)


def pytest_unconfigure() -> None:
    _stack.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("HIMS_TEST_FULL") == "1":
        return
    skip = pytest.mark.skip(reason="the long numbers run with `make test-all`")
    for item in items:
        if item.get_closest_marker("full"):
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def empty_redis() -> None:
    """Every test begins with nobody counted and the breaker closed."""
    bus.breaker.reset()
    with suppress(bus.Down):
        bus.run(lambda client: client.flushdb())
