"""Checks credentials: the password, and the second factor if there is one. Every sign-in calls this module."""

from django.contrib.auth.hashers import make_password

from apps.accounts.models import User
from apps.accounts.services import lockout, mfa
from apps.accounts.services.lockout import SignInPlace
from apps.audit import services as audit
from apps.audit.models import AuditEvent
from apps.common.errors import Unauthenticated

UNKNOWN_PLACE = SignInPlace()


class WrongCredentials(Unauthenticated):
    """The same error for an unknown name, a wrong password, a disabled account and a patient at the staff sign-in."""

    message = "Invalid credentials"


class WrongPassword(WrongCredentials):
    """The person who is signed in did not give their own password."""

    message = "The password is wrong."


def authenticate(username: str, password: str, *, place: SignInPlace = UNKNOWN_PLACE) -> User:
    """Returns the active member of staff with these credentials. `check_code` checks the code.

    Raises WrongCredentials after equal work, RateLimited and PasswordResetRequired before any; records the failure.
    """
    user = User.objects.filter(username__iexact=username.strip()).first()
    attempt = lockout.check_lockout(user, username, place)
    if user is None:
        make_password(password)  # as long as checking a password takes
        is_valid = False
    else:
        is_valid = user.check_password(password) and user.is_staff
    if not is_valid:
        lockout.record_failure(attempt)
        record_refused_login(user)
        raise WrongCredentials
    assert user is not None
    lockout.clear_failures(attempt)
    return user


def check_code(user: User, code: str, *, place: SignInPlace = UNKNOWN_PLACE) -> None:
    """Checks the code after the correct password; does nothing without a second factor. Raises MfaRequired, MfaInvalid,
    RateLimited."""
    attempt = lockout.login_attempt(user, place)
    try:
        mfa.check(user, code, budget=f"{user.pk}:{place.network}" if attempt.is_known else str(user.pk))
    except mfa.MfaInvalid:
        lockout.record_failure(attempt)
        record_refused_login(user, why="mfa")
        raise


def record_refused_login(user: User | None, why: str = "password") -> None:
    """Writes a refused sign-in to the audit log."""
    denied, account = AuditEvent.Outcome.DENIED, user.pk if user else None
    audit.record(by=None, action="session.refused", outcome=denied, object_id=account, why=why)
