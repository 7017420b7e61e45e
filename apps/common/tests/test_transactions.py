"""A service that refuses before it writes: in the caller's transaction without a savepoint, or in one of its own."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.common.errors import Conflict
from apps.common.transactions import refuses_before_writing

pytestmark = pytest.mark.django_db(transaction=True)


@refuses_before_writing
def add(name: str, error: Exception | None = None) -> str:
    if isinstance(error, Conflict):
        raise error
    Group.objects.create(name=name)
    if error:
        raise error
    return name


def names() -> list[str]:
    return list(Group.objects.order_by("name").values_list("name", flat=True))


def test_the_callers_transaction_goes_on_after_a_refusal_and_keeps_what_it_wrote() -> None:
    with transaction.atomic(), CaptureQueriesContext(connection) as log:
        add("first")
        with pytest.raises(Conflict):
            add("refused", Conflict())
        add("last")
    assert names() == ["first", "last"]
    assert not [query["sql"] for query in log if "SAVEPOINT" in query["sql"]]


def test_the_callers_transaction_is_rolled_back_after_a_failure_even_if_the_caller_goes_on() -> None:
    with transaction.atomic():
        add("first")
        with pytest.raises(RuntimeError):
            add("half", RuntimeError())
    assert names() == []


def test_a_savepoint_of_the_caller_undoes_a_failure_alone() -> None:
    with transaction.atomic():
        add("first")
        with pytest.raises(RuntimeError), transaction.atomic():
            add("half", RuntimeError())
        add("last")
    assert names() == ["first", "last"]


def test_without_a_transaction_of_the_caller_it_writes_all_or_nothing() -> None:
    assert add("first") == "first"
    with pytest.raises(RuntimeError):
        add("half", RuntimeError())
    assert names() == ["first"]
