"""Is this the person: the password, and where there is one the second factor. Every door asks here."""

from django.contrib.auth.hashers import make_password

from apps.accounts.models import User
from apps.accounts.services import lockout, mfa
from apps.accounts.services.lockout import SignInPlace
from apps.audit import services as audit
from apps.audit.models import AuditEvent
from apps.common.errors import Unauthenticated

UNKNOWN_PLACE = SignInPlace()


class WrongCredentials(Unauthenticated):
    """The one answer to an unknown name, a wrong password, a disabled account and a patient at the staff door."""

    message = "Invalid credentials"


def authenticate(username: str, password: str, *, place: SignInPlace = UNKNOWN_PLACE) -> User:
    """The active member of staff with these credentials, whose code (`check_code`) is not looked at here.

    Raises WrongCredentials after equal work, RateLimited and PasswordResetRequired before any; notes the failure.
    """
    user = User.objects.filter(username__iexact=username.strip()).first()
    attempt = lockout.check_lockout(user, username, place)
    if user is None:
        make_password(password)  # as long as checking one takes
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
    """The second step, after the right password; nothing without a second factor. Raises MfaRequired, MfaInvalid, RateLimited."""
    attempt = lockout.login_attempt(user, place)
    try:
        mfa.check(user, code, budget=f"{user.pk}:{place.network}" if attempt.is_known else str(user.pk))
    except mfa.MfaInvalid:
        lockout.record_failure(attempt)
        record_refused_login(user, why="mfa")
        raise


def record_refused_login(user: User | None, why: str = "password") -> None:
    """A refused sign-in, on record."""
    denied, account = AuditEvent.Outcome.DENIED, user.pk if user else None
    audit.record(by=None, action="session.refused", outcome=denied, object_id=account, why=why)
