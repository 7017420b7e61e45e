"""What the tests of all homes begin with: ten o'clock next Monday, and the doctor."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from apps.accounts.models import User
from apps.appointments.tests.factories import at


@pytest.fixture(autouse=True)
def ten_o_clock() -> Iterator[Any]:
    with time_machine.travel(at("10:00"), tick=False) as traveller:
        yield traveller


@pytest.fixture
def doctor(staff: dict[str, User]) -> User:
    return staff["doctor"]
