"""States and legal moves as data, and the one way to move a row: locked, checked, guarded, recorded."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext, isolate_apps
from hypothesis import given
from hypothesis import strategies as st

from apps.common.actor import AuditActor
from apps.common.errors import Conflict, NotFound, Unavailable
from apps.common.ids import new_id
from apps.common.lifecycle.machine import StateMachine, Transition, guarded_update
from apps.common.lifecycle.states import Lifecycle
from apps.common.models import BaseModel
from apps.common.tests.concurrency import run_concurrently

PARCEL = Lifecycle(
    moves={"packed": ("sent", "unpacked"), "sent": (), "lost": ("sent",), "received": (), "unpacked": ()},
    by_system={"sent": ("received", "lost")},
)

with isolate_apps("apps.common"):

    class Parcel(BaseModel):
        status = models.CharField(max_length=10, default="packed")
        shelf = models.IntegerField(default=1)
        note = models.CharField(max_length=20, blank=True)

        class Meta:
            app_label = "common"
            db_table = "test_parcel"

    class ParcelChange(models.Model):
        parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="+")
        from_status = models.CharField(max_length=10)
        to_status = models.CharField(max_length=10)
        reason = models.CharField(max_length=20, blank=True)
        at = models.DateTimeField()
        by_id = models.UUIDField(null=True)

        class Meta:
            app_label = "common"
            db_table = "test_parcel_change"


@dataclass(frozen=True)
class Clerk:
    id: UUID | None = None
    role: str = "clerk"


CLERK = Clerk(new_id())


class NotPossible(Conflict):
    message = "The parcel's status does not allow this."


class NotPaid(NotPossible):
    message = "The parcel is not paid for."


class ParcelStates(StateMachine[Parcel]):
    lifecycle = PARCEL
    name = "parcel"
    refusal = NotPossible

    def history(self, transition: Transition[Parcel], *, by: AuditActor, reason: str) -> ParcelChange:
        before, after = transition.before, transition.after
        return ParcelChange(
            parcel=after, from_status=before.status, to_status=after.status, reason=reason, at=after.updated_at, by_id=by.id
        )


class FullShelfStates(ParcelStates):
    """An app whose constraints refuse a write, or settle on another value."""

    def write(self, before: Parcel, after: Parcel, values: dict[str, Any]) -> bool:
        if after.shelf == 13:
            raise NotPossible
        if after.shelf == 2:  # taken meanwhile
            values["shelf"] = after.shelf = 3
        return guarded_update(before, values)


STATES = ParcelStates()


@pytest.fixture
def tables(db: None) -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Parcel)
        editor.create_model(ParcelChange)


@pytest.fixture
def parcel(tables: None) -> Parcel:
    return Parcel.objects.create()


def stored(row: Parcel) -> tuple[str, int]:
    return Parcel.objects.values_list("status", "shelf").get(pk=row.pk)


# The data


def test_a_refusal_offers_only_what_a_user_may_do() -> None:
    assert PARCEL.details("packed", "lost") == {"from": "packed", "to": "lost", "allowed": ["sent", "unpacked"]}
    assert PARCEL.details("sent", "packed")["allowed"] == []


def test_the_system_makes_its_own_moves_and_those_of_a_user() -> None:
    assert PARCEL.may_follow("sent", "lost")
    assert PARCEL.may_follow("packed", "sent")
    assert not PARCEL.may_follow("packed", "lost")


@pytest.mark.parametrize("broken", [{"by_system": {"b": ("a",)}}, {"by_system": {"a": ("b",)}}])
def test_a_state_that_is_not_declared_is_refused_when_the_app_loads(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not among the states of the lifecycle: b"):
        Lifecycle(moves={"a": ()}, **broken)
    with pytest.raises(ValueError, match="not among the states of the lifecycle: b"):
        Lifecycle(moves={"a": ("b",)})


states = st.sampled_from("abcd")
moves = st.fixed_dictionaries({state: st.lists(states, unique=True) for state in "abcd"})


@given(moves, moves, states, states)
def test_what_is_offered_is_always_legal(by_hand: Any, by_system: Any, here: str, there: str) -> None:
    lifecycle = Lifecycle(moves=by_hand, by_system=by_system)
    assert lifecycle.may_follow(here, there) == (there in by_hand[here] or there in by_system[here])
    assert lifecycle.allowed(here) == by_hand[here]


# The row


@pytest.mark.django_db
def test_a_move_is_one_guarded_update_and_one_history_row(parcel: Parcel) -> None:
    with CaptureQueriesContext(connection) as queries:
        done = STATES.move(parcel, "sent", by=CLERK, reason="Paid", shelf=7, note="")
    assert [query["sql"].split()[0] for query in queries] == ["UPDATE", "INSERT"]
    assert "\"status\" = 'packed'" in queries[0]["sql"].partition("WHERE")[2]
    assert "note" not in queries[0]["sql"]
    assert stored(parcel) == ("sent", 7)
    assert done.changes == ("status", "shelf")
    change = ParcelChange.objects.get()
    assert (change.from_status, change.to_status, change.reason, change.by_id) == ("packed", "sent", "Paid", CLERK.id)
    assert change.at == Parcel.objects.get(pk=parcel.pk).updated_at


@pytest.mark.django_db
def test_the_transition_has_the_row_before_and_after(parcel: Parcel) -> None:
    done = STATES.move(parcel, "sent", by=CLERK, shelf=7)
    assert (done.before.pk, done.before.status, done.before.shelf) == (parcel.pk, "packed", 1)
    assert done.after is parcel
    assert (parcel.status, parcel.shelf) == ("sent", 7)
    assert done.before.updated_at < parcel.updated_at
    parcel.note = "Fragile"
    assert done.before.note == ""


@pytest.mark.django_db
def test_two_writes_become_one_transition(parcel: Parcel) -> None:
    moved = STATES.amend(parcel, shelf=7, note="Fragile")
    whole = moved.then(STATES.move(parcel, "sent", by=CLERK, shelf=8))
    assert (whole.before.shelf, whole.before.status, whole.after.shelf, whole.after.status) == (1, "packed", 8, "sent")
    assert whole.changes == ("shelf", "note", "status")


@pytest.mark.django_db
def test_an_illegal_move_is_refused_with_what_is_allowed_and_writes_nothing(parcel: Parcel) -> None:
    with CaptureQueriesContext(connection) as queries, pytest.raises(NotPossible) as refused:
        STATES.move(parcel, "received", by=CLERK)
    assert not queries.captured_queries
    assert (refused.value.status, refused.value.message) == (409, "The parcel's status does not allow this.")
    assert refused.value.details == {
        "reason": "not_possible",
        "from": "packed",
        "to": "received",
        "allowed": ["sent", "unpacked"],
    }
    assert parcel.status == "packed"


@pytest.mark.django_db
def test_only_the_system_makes_the_moves_of_the_system(parcel: Parcel) -> None:
    STATES.move(parcel, "sent", by=CLERK)
    with pytest.raises(NotPossible):
        STATES.move(parcel, "received", by=CLERK)
    STATES.move(parcel, "received", by=CLERK, by_system=True)
    assert stored(parcel) == ("received", 1)


def test_an_app_may_refuse_in_a_more_precise_sentence() -> None:
    refusal = STATES.refused(Parcel(), "sent", NotPaid)
    assert isinstance(refusal, NotPaid)
    assert (refusal.message, refusal.details["allowed"]) == ("The parcel is not paid for.", ["sent", "unpacked"])


@pytest.mark.django_db
@pytest.mark.parametrize("write", [lambda row: STATES.move(row, "unpacked", by=CLERK), lambda row: STATES.amend(row, shelf=9)])
def test_a_row_that_another_transaction_moved_meanwhile_is_left_alone(parcel: Parcel, write: Any) -> None:
    Parcel.objects.filter(pk=parcel.pk).update(status="sent")
    with pytest.raises(Unavailable, match="Others are changing this parcel"):
        write(parcel)
    assert stored(parcel) == ("sent", 1)
    assert not ParcelChange.objects.exists()
    assert (parcel.status, parcel.shelf) == ("packed", 1)


@pytest.mark.django_db
def test_other_columns_are_changed_without_a_history_row(parcel: Parcel) -> None:
    done = STATES.amend(parcel, shelf=7, note="")
    assert (done.changes, done.before.shelf, stored(parcel)) == (("shelf",), 1, ("packed", 7))
    assert not ParcelChange.objects.exists()
    STATES.record(done, by=CLERK, reason="Other shelf")
    assert ParcelChange.objects.values_list("from_status", "to_status", "reason").get() == ("packed", "packed", "Other shelf")


@pytest.mark.django_db
def test_what_is_the_same_writes_nothing(parcel: Parcel) -> None:
    before = parcel.updated_at
    with CaptureQueriesContext(connection) as queries:
        done = STATES.amend(parcel, shelf=1, note="")
    assert (done.changes, queries.captured_queries, parcel.updated_at) == ((), [], before)


@pytest.mark.django_db
def test_a_write_that_the_app_refuses_leaves_the_row_as_it_was(parcel: Parcel) -> None:
    with pytest.raises(NotPossible):
        FullShelfStates().move(parcel, "sent", by=CLERK, shelf=13)
    assert (parcel.status, parcel.shelf, stored(parcel)) == ("packed", 1, ("packed", 1))
    assert not ParcelChange.objects.exists()


@pytest.mark.django_db
def test_the_value_on_which_the_app_settles_is_the_one_in_the_transition(parcel: Parcel) -> None:
    done = FullShelfStates().move(parcel, "sent", by=CLERK, shelf=2)
    assert (parcel.shelf, done.after.shelf, stored(parcel)) == (3, 3, ("sent", 3))


@pytest.mark.django_db
def test_a_row_that_is_not_there_or_not_shown_is_not_found(parcel: Parcel) -> None:
    assert STATES.lock(Parcel.objects.filter(pk=parcel.pk)) == parcel
    with pytest.raises(NotFound, match="There is no such parcel"):
        STATES.lock(Parcel.objects.filter(pk=new_id()))


@pytest.mark.django_db(transaction=True)
def test_of_many_that_move_one_row_at_once_one_wins(transactional_db: None) -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Parcel)
        editor.create_model(ParcelChange)
    try:
        pk = Parcel.objects.create().pk

        def move(number: int) -> str:
            with transaction.atomic():
                row = STATES.lock(Parcel.objects.filter(pk=pk))
                try:
                    STATES.move(row, ("sent", "unpacked")[number % 2], by=CLERK)
                except NotPossible as refusal:
                    return str(refusal.details["allowed"])
            return "moved"

        assert sorted(run_concurrently(8, move)) == ["[]"] * 7 + ["moved"]
        assert ParcelChange.objects.count() == 1
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(ParcelChange)
            editor.delete_model(Parcel)
