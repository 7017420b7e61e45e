"""Confirms the password within a session, as sensitive actions require; valid for five minutes."""

from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.access.actor import Actor
from apps.accounts.events import Reauthenticated
from apps.accounts.models import Session, User
from apps.accounts.services import session_revocation
from apps.accounts.services.credentials import UNKNOWN_PLACE, WrongPassword, check_code, record_refused_login
from apps.accounts.services.lockout import NO_USER_ID, SignInPlace
from apps.accounts.services.mfa import MfaInvalid
from apps.audit import services as audit
from apps.common import clock
from apps.common.errors import RateLimited
from apps.events.services import emit
from apps.rest import limits
from apps.rest.limits import RateClass

_FAILURES_UNTIL_END = 10  # a user who has the tokens but not the password is stopped


def reauthenticate(*, by: Actor, session_id: UUID, password: str, code: str = "", place: SignInPlace = UNKNOWN_PLACE) -> None:
    """Records that the owner of the session confirmed the password. Raises WrongPassword, MfaRequired, MfaInvalid,
    RateLimited."""
    user = verify_password(by=by, password=password, session_id=session_id)
    try:
        check_code(user, code, place=place)
    except MfaInvalid:
        _count_failure(by, session_id)
        raise
    with transaction.atomic():
        Session.objects.filter(pk=session_id).update(reauthenticated_at=clock.now(), failed_proofs=0)
        emit(Reauthenticated(user_id=user.pk, session_id=session_id), by=by)


def reauthenticate_browser(*, by: Actor, password: str, code: str = "", place: SignInPlace = UNKNOWN_PLACE) -> None:
    """The same for a Django session; the page remembers the time. Raises what `reauthenticate` raises."""
    user = verify_password(by=by, password=password, session_id=None)
    check_code(user, code, place=place)
    audit.record(by=by, action=Reauthenticated.name, object_id=user.pk, door="admin")


def verify_password(*, by: Actor, password: str, session_id: UUID | None, field: str = "password") -> User:
    """Checks the password of the signed-in user: five tries a minute; ten wrong ones in a row end an API session.

    The caller sets the count of failures back once its whole proof succeeds, which may need a code too.

    Raises WrongPassword with the field, RateLimited.
    """
    verdict = limits.hit(RateClass.AUTH, f"prove:{session_id or by.id}")
    if not verdict.allowed:
        raise RateLimited("Too many wrong passwords", retry_after=verdict.retry_after)
    user = User.objects.get(pk=by.id or NO_USER_ID)
    if not user.check_password(password):
        record_refused_login(user, why="reauthentication")
        _count_failure(by, session_id)
        raise WrongPassword(field=field, issue="wrong_password")
    return user


def _count_failure(by: Actor, session_id: UUID | None) -> None:
    with transaction.atomic():
        own = session_revocation.session_by_id(session_id).filter(ended_at=None)
        own.update(failed_proofs=F("failed_proofs") + 1)
        session_revocation.end_all(own.filter(failed_proofs__gte=_FAILURES_UNTIL_END), by, Session.End.PROOF_FAILED)
