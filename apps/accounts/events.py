"""The facts that `accounts` announces."""

from dataclasses import dataclass
from datetime import datetime
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
class EmailChanged(_AboutStaff, name="staff.email_changed"):
    """The account has another e-mail address. `sealed` holds the former and the new one, encrypted (`services.addresses_of`):
    both are mailed, and no event carries an address that can be read."""

    sealed: str


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


@dataclass(frozen=True, kw_only=True)
class StaffInvited(_AboutStaff, name="staff.invited"):
    """An account was opened that nobody can sign in to yet: its person is to be mailed a link that sets the password."""

    role: str


@dataclass(frozen=True, kw_only=True)
class _AboutKey(Event):
    """`user_id` is the key's owner."""

    api_key_id: UUID
    user_id: UUID

    @property
    def subject_id(self) -> UUID:
        return self.api_key_id


@dataclass(frozen=True, kw_only=True)
class ApiKeyCreated(_AboutKey, name="api_key.made"):
    scopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ApiKeyRotated(_AboutKey, name="api_key.rotated"):
    """The key has a new text; the old one works until `old_ends_at`."""

    old_ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class ApiKeyRevoked(_AboutKey, name="api_key.revoked"):
    reason: str


@dataclass(frozen=True, kw_only=True)
class Reauthenticated(_AboutStaff, name="session.reauthenticated"):
    """The password (and the code) was given again within a session."""

    session_id: UUID


@dataclass(frozen=True, kw_only=True)
class SecondFactorEnabled(_AboutStaff, name="mfa.enabled"):
    pass


@dataclass(frozen=True, kw_only=True)
class SecondFactorDisabled(_AboutStaff, name="mfa.disabled"):
    """`reset` where an administrator took it away."""

    reset: bool = False


@dataclass(frozen=True, kw_only=True)
class RecoveryCodesRenewed(_AboutStaff, name="mfa.recovery_codes_renewed"):
    pass


@dataclass(frozen=True, kw_only=True)
class RecoveryCodeUsed(_AboutStaff, name="mfa.recovery_code_used"):
    left: int


@dataclass(frozen=True, kw_only=True)
class PasswordResetRequested(Event, name="password.help_asked"):
    """Somebody typed an e-mail or username at "forgot my password". `sealed` is that, encrypted: whether an account has it is
    looked up afterwards by a worker, so that the answer takes as long for one that nobody has."""

    sealed: str


@dataclass(frozen=True, kw_only=True)
class PasswordResetAccepted(_AboutStaff, name="password.reset_asked"):
    """An account is to be mailed a link. The mail task makes it (`services.create_password_link`); none travels here."""
