"""Moves the rows of one model through their states: lock, check, one guarded UPDATE, one history row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Model, QuerySet

from apps.common import clock
from apps.common.actor import AuditActor
from apps.common.errors import Conflict, NotFound, Unavailable
from apps.common.lifecycle.states import Lifecycle
from apps.common.models import BaseModel

RowT = TypeVar("RowT", bound=BaseModel)


@dataclass(frozen=True)
class Transition(Generic[RowT]):
    """What was written to a row: a copy of the row as it was, the row as it is, and the columns that differ.

    The caller builds its event from this value. `changes` leaves out `updated_at`, which every write sets.
    """

    before: RowT
    after: RowT
    changes: tuple[str, ...]

    def then(self, later: "Transition[RowT]") -> "Transition[RowT]":
        """Returns this write and a later one of the same row as one transition."""
        return Transition(self.before, later.after, tuple(dict.fromkeys(self.changes + later.changes)))


class StateMachine(Generic[RowT]):
    """The lifecycle of one model, which has the columns `status` and `updated_at`. A subclass sets the three class attributes.

    `name` completes the sentence "There is no such …". `refusal` is the app's error for an illegal move, with its sentence.
    """

    lifecycle: ClassVar[Lifecycle]
    name: ClassVar[str]
    refusal: ClassVar[type[Conflict]]

    def lock(self, rows: QuerySet[RowT]) -> RowT:
        """Returns the first of the rows, locked until the transaction ends. Raises NotFound."""
        row = rows.select_for_update(of=("self",)).first()
        if row is None:
            raise NotFound(f"There is no such {self.name}.")
        return row

    def check(self, row: RowT, to: str, *, by_system: bool = False) -> None:
        """Raises the app's refusal unless a user, or with `by_system` the system, may take the row to this state."""
        status: str = row.status  # type: ignore[attr-defined]  # a row of the machine has a status
        legal = self.lifecycle.may_follow(status, to) if by_system else to in self.lifecycle.allowed(status)
        if not legal:
            raise self.refused(row, to)

    def refused(self, row: RowT, to: str, kind: type[Conflict] | None = None) -> Conflict:
        """Returns the 409 for this move, with `from`, `to` and `allowed`; `kind` where the app has a more precise sentence."""
        return (kind or self.refusal)(**self.lifecycle.details(row.status, to))  # type: ignore[attr-defined]  # a row of the machine has a status

    def move(
        self, row: RowT, to: str, *, by: AuditActor, reason: str = "", by_system: bool = False, **columns: Any
    ) -> Transition[RowT]:
        """Take the row to the state, set the columns that go with it, and record it in the history.

        Raises as `check`, and Unavailable as `amend`.
        """
        self.check(row, to, by_system=by_system)
        transition = self._write_row(row, {"status": str(to), **columns})
        self.record(transition, by=by, reason=reason)
        return transition

    def amend(self, row: RowT, **columns: Any) -> Transition[RowT]:
        """Set the columns that differ, without a move and without a history row; writes nothing where none differs.

        Raises Unavailable if another transaction changed the row's state since it was read: nothing is written.
        """
        if all(getattr(row, name) == value for name, value in columns.items()):
            return Transition(_copy(row), row, ())
        return self._write_row(row, columns)

    def record(self, transition: Transition[RowT], *, by: AuditActor, reason: str = "") -> None:
        """Add what happened to the row's history, if the model has one."""
        line = self.history(transition, by=by, reason=reason)
        if line is not None:
            line.save(force_insert=True)

    def history(self, transition: Transition[RowT], *, by: AuditActor, reason: str) -> Model | None:
        """Returns the unsaved history row of a transition. Override it; a model without a history has none."""
        return None

    def write(self, before: RowT, after: RowT, values: dict[str, Any]) -> bool:
        """Write the values by one guarded UPDATE; returns False if the row is in another state than `before`.

        Override it where the app's constraints may refuse the UPDATE. `after` is a draft of the row with the values; an override
        that settles on other values changes `values`.
        """
        return guarded_update(before, values)

    def _write_row(self, row: RowT, columns: Mapping[str, Any]) -> Transition[RowT]:
        values = {name: value for name, value in columns.items() if getattr(row, name) != value}
        values["updated_at"] = clock.now()
        if not self.write(row, _with_values(_copy(row), values), values):
            raise Unavailable(f"Others are changing this {self.name}. Try again.")
        before = _copy(row)
        _with_values(row, values)
        return Transition(before, row, tuple(name for name in values if name != "updated_at"))


def guarded_update(before: BaseModel, values: Mapping[str, Any]) -> bool:
    """One UPDATE of the row, only while its state is the one that `before` has. Returns whether it was."""
    as_read: dict[str, Any] = {"pk": before.pk, "status": before.status}  # type: ignore[attr-defined]  # a row of the machine has a status
    return type(before)._base_manager.filter(**as_read).update(**values) == 1


def _with_values(row: RowT, values: Mapping[str, Any]) -> RowT:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def _copy(row: RowT) -> RowT:
    """Returns a copy with the related rows that are loaded. (`copy.copy` looks the model up by name, as for a pickle.)"""
    duplicate = type(row).__new__(type(row))
    vars(duplicate).update(row.__getstate__())
    return duplicate
