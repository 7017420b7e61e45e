"""The collector of a web worker leaves alone what is loaded."""

import gc
from collections.abc import Iterator

import pytest

from hims.web import collector


@pytest.fixture(autouse=True)
def collector_as_it_was() -> Iterator[None]:
    threshold = gc.get_threshold()
    gc.unfreeze()  # conftest.py has frozen what the collection of the tests loaded
    yield
    gc.freeze()
    gc.set_threshold(*threshold)


def test_a_worker_freezes_what_its_first_requests_have_built_once() -> None:
    warm_up = collector.WarmUp(requests=2)
    warm_up.count()
    assert gc.get_freeze_count() == 0
    warm_up.count()
    frozen = gc.get_freeze_count()
    assert frozen > 0
    kept = [[] for _ in range(100)]
    warm_up.count()
    # A second freeze would add the 100 lists. A few frozen objects may have been freed meanwhile by other threads.
    assert frozen - 50 < gc.get_freeze_count() <= frozen, len(kept)


def test_before_the_workers_are_forked_all_that_is_loaded_is_frozen() -> None:
    collector.before_fork()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold()[0] == collector.THRESHOLD
