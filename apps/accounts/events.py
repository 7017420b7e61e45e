"""The facts that `accounts` announces."""

from dataclasses import dataclass
from uuid import UUID

from apps.events.event import Event


@dataclass(frozen=True, kw_only=True)
class _AboutStaff(Event):
    user_id: UUID

    @property
    def subject_id(self) -> UUID:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class StaffHired(_AboutStaff, name="staff.hired"):
    role: str


@dataclass(frozen=True, kw_only=True)
class StaffChanged(_AboutStaff, name="staff.changed"):
    """`changes` are the names of the columns that changed."""

    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StaffDeactivated(_AboutStaff, name="staff.deactivated"):
    pass


@dataclass(frozen=True, kw_only=True)
class StaffReactivated(_AboutStaff, name="staff.reactivated"):
    pass


@dataclass(frozen=True, kw_only=True)
class SessionStarted(_AboutStaff, name="session.started"):
    session_id: UUID


@dataclass(frozen=True, kw_only=True)
class SessionEnded(_AboutStaff, name="session.ended"):
    session_id: UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class SignedInFromNewPlace(_AboutStaff, name="session.new_place"):
    """Somebody signed in from an address this account was not used from in 30 days. Never told of the first sign-in."""

    session_id: UUID | None
