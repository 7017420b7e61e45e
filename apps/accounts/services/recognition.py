"""Is this the person: the password, and where there is one the second factor. Every door asks here."""

from django.contrib.auth.hashers import make_password

from apps.accounts.models import User
from apps.accounts.services import mfa, throttle
from apps.accounts.services.throttle import Place
from apps.audit import services as audit
from apps.audit.models import AuditEvent
from apps.common.errors import Unauthenticated

NOWHERE = Place()


class WrongCredentials(Unauthenticated):
    """The one answer to an unknown name, a wrong password, a disabled account and a patient at the staff door."""

    message = "Invalid credentials"


def recognise(username: str, password: str, *, place: Place = NOWHERE) -> User:
    """The active member of staff with these credentials, whose code (`check_code`) is not looked at here.

    Raises WrongCredentials after equal work, RateLimited and ResetNeeded before any; notes the failure.
    """
    user = User.objects.filter(username__iexact=username.strip()).first()
    gate = throttle.knock(user, username, place)
    if user is None:
        make_password(password)  # as long as checking one takes
        known = False
    else:
        known = user.check_password(password) and user.is_staff
    if not known:
        throttle.failed(gate)
        note_refusal(user)
        raise WrongCredentials
    assert user is not None
    throttle.passed(gate)
    return user


def check_code(user: User, code: str, *, place: Place = NOWHERE) -> None:
    """The second step, after the right password; nothing without a second factor. Raises MfaRequired, MfaInvalid, RateLimited."""
    gate = throttle.gate_of(user, place)
    try:
        mfa.check(user, code, budget=f"{user.pk}:{place.network}" if gate.is_known else str(user.pk))
    except mfa.MfaInvalid:
        throttle.failed(gate)
        note_refusal(user, why="mfa")
        raise


def note_refusal(user: User | None, why: str = "password") -> None:
    """A refused sign-in, on record."""
    denied, account = AuditEvent.Outcome.DENIED, user.pk if user else None
    audit.note(by=None, action="session.refused", outcome=denied, object_id=account, why=why)
