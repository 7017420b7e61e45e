"""The events of `accounts`."""

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
    """`changes` are the names of the changed columns."""

    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EmailChanged(_AboutStaff, name="staff.email_changed"):
    """The account has another e-mail address. `sealed` contains the previous and the new one, encrypted
    (`services.addresses_of`): both get a mail, and no event carries a readable address."""

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
    """A sign-in from an address this account was not used from in 30 days. Not emitted for the first sign-in."""

    session_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class StaffInvited(_AboutStaff, name="staff.invited"):
    """An account was opened that has no password yet: its user gets a mail with a link that sets the password."""

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
    """The password (and the code) was confirmed again within a session."""

    session_id: UUID


@dataclass(frozen=True, kw_only=True)
class SecondFactorEnabled(_AboutStaff, name="mfa.enabled"):
    pass


@dataclass(frozen=True, kw_only=True)
class SecondFactorDisabled(_AboutStaff, name="mfa.disabled"):
    """`reset` if an administrator removed it."""

    reset: bool = False


@dataclass(frozen=True, kw_only=True)
class RecoveryCodesRenewed(_AboutStaff, name="mfa.recovery_codes_renewed"):
    pass


@dataclass(frozen=True, kw_only=True)
class RecoveryCodeUsed(_AboutStaff, name="mfa.recovery_code_used"):
    left: int


@dataclass(frozen=True, kw_only=True)
class PasswordResetRequested(Event, name="password.help_asked"):
    """A user entered an e-mail or username at "forgot my password". `sealed` is that text, encrypted: a worker looks up the
    account afterwards, so that the response takes equally long without one."""

    sealed: str


@dataclass(frozen=True, kw_only=True)
class PasswordResetAccepted(_AboutStaff, name="password.reset_asked"):
    """An account gets a mail with a link. The mail task creates it (`services.create_password_link`); the event contains none."""
