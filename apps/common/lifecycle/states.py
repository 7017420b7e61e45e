"""The states of a record and the legal moves between them. Pure data and decisions on plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Moves = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Lifecycle:
    """The states of one kind of record, and where each may go.

    `moves` has every state as a key, with the states that a user may choose next; a final state has none. `by_system` has the
    further legal moves that only another operation makes: a consultation, an undo, a worker. A refusal does not offer them to
    the user. Raises ValueError for a state that is not a key of `moves`.
    """

    moves: Moves
    by_system: Moves = field(default_factory=dict)

    def __post_init__(self) -> None:
        mentioned = {
            *self.by_system,
            *(to for moves in (self.moves, self.by_system) for others in moves.values() for to in others),
        }
        if unknown := sorted(mentioned - set(self.moves)):
            raise ValueError(f"not among the states of the lifecycle: {', '.join(unknown)}")

    def allowed(self, status: str) -> list[str]:
        """Returns where a user may take a record from here, in the order of the declaration."""
        return [str(to) for to in self.moves[status]]

    def may_follow(self, from_status: str, to_status: str) -> bool:
        """Returns whether a record may go from one state to the other, by a user or by the system."""
        return to_status in self.moves[from_status] or to_status in self.by_system.get(from_status, ())

    def details(self, from_status: str, to_status: str) -> dict[str, Any]:
        """Returns the details of a refused move, as the API's 409 has them."""
        return {"from": str(from_status), "to": str(to_status), "allowed": self.allowed(from_status)}
