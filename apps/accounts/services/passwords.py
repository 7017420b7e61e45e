"""Choosing a password: one's own, somebody's by an administrator, and by a mailed link."""

import secrets
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from apps.access.actor import Actor
from apps.accounts import rules, selectors, tokens
from apps.accounts.events import PasswordHelpAsked, PasswordResetAsked, StaffChanged
from apps.accounts.models import PasswordLink, Session, User
from apps.accounts.services import closing, throttle
from apps.accounts.services.api_keys import revoke_keys_of
from apps.accounts.services.reauthentication import prove_password
from apps.accounts.services.recognition import NOWHERE
from apps.accounts.services.throttle import Place
from apps.common import clock, keyring
from apps.common.errors import Invalid, NotFound
from apps.events.services import emit
from apps.rest import limits
from apps.rest.limits import RateClass
from apps.rest.permissions import refuse_without_fresh_proof

_GOOD_FOR = {PasswordLink.Purpose.RESET: timedelta(minutes=30), PasswordLink.Purpose.INVITATION: timedelta(days=7)}
_PAGE = "/admin/password-reset/"
_MAILS_AN_HOUR = 5  # to one account, however often somebody asks
_MAILS_A_MINUTE = 2


class _Stranger:
    """Whoever stands outside and says nothing of himself."""

    id = None
    role = ""


_STRANGER = _Stranger()


class BadLink(Invalid):
    """Unknown, used, void, expired, or of an account that is closed: told alike."""

    message = "This link is not valid, was used already or has expired. Ask for a new one."

    def __init__(self) -> None:
        super().__init__(field="token", issue=self.message)


@transaction.atomic
def set_password(*, by: Actor, user_id: UUID, password: str, check: bool = True, revoke_api_keys: bool = False) -> None:
    """Give a person a new password; every session of theirs ends, in browsers too. Raises ReauthenticationRequired."""
    refuse_without_fresh_proof(by)
    user = closing.locked(user_id)
    _choose(by, user, password, check=check)
    if revoke_api_keys:
        revoke_keys_of(by=by, user=user, reason="password_changed")


def change_password(*, by: Actor, session_id: UUID | None, current: str, new: str, revoke_api_keys: bool = False) -> User:
    """Choose another password for oneself. This session goes on, all others end, in browsers too; API keys only where asked.

    Raises WrongCredentials, RateLimited, Invalid naming the field.
    """
    prove_password(by=by, password=current, session_id=session_id, field="current_password")
    if current == new:
        raise Invalid(field="new_password", issue="This is the password you have. Choose another one.")
    with transaction.atomic():
        user = closing.locked(by.id)
        _choose(by, user, new, but=session_id, field="new_password")
        if revoke_api_keys:
            revoke_keys_of(by=by, user=user, reason="password_changed")
        closing.one(session_id).update(enrollment_only=selectors.must_enrol(user))
    return user


@transaction.atomic
def ask_for_reset(*, identifier: str, place: Place = NOWHERE) -> None:
    """Somebody forgot a password and typed this e-mail or username. The same work whether or not there is an account.

    Raises RateLimited for too many from one address, or for one name.
    """
    throttle.refuse_flood("forgot", place, identifier)
    emit(PasswordHelpAsked(sealed=keyring.encrypt(identifier.strip().encode(errors="replace")).decode()), by=_STRANGER)


@transaction.atomic
def answer_call_for_help(*, sealed: str) -> None:
    """Announce that an account wants a link, where the text names one. The worker's part of `ask_for_reset`."""
    identifier = keyring.decrypt(sealed.encode()).decode()
    found = User.objects.filter(Q(email__iexact=identifier) | Q(username__iexact=identifier)).select_for_update()
    for user in found:
        lately = PasswordLink.objects.filter(user=user, created_at__gt=clock.now() - timedelta(hours=1))
        if user.is_staff and lately.count() < _MAILS_AN_HOUR and _may_be_mailed(user):
            emit(PasswordResetAsked(user_id=user.pk), by=_STRANGER)


def _may_be_mailed(user: User) -> bool:
    """Twice a minute: links are made by the task that mails them, so the hourly count sees a burst too late."""
    return limits.hit(RateClass.AUTH, f"reset-mail:{user.pk}", per_minute=_MAILS_A_MINUTE).allowed


@transaction.atomic
def make_reset_link(*, user_id: UUID, purpose: str = PasswordLink.Purpose.RESET) -> str:
    """A link that lets its reader choose a password: for 30 minutes, an invitation for 7 days. For the task that mails it.

    The token stands in the answer and nowhere else. Raises NotFound where nobody active has this id.
    """
    user = selectors.staff_member(user_id)
    if user is None:
        raise NotFound("There is no such member of staff.")
    token, now, kind = secrets.token_urlsafe(32), clock.now(), PasswordLink.Purpose(purpose)
    PasswordLink.objects.create(
        token_hash=tokens.fingerprint(token), user=user, purpose=kind, created_at=now, expires_at=now + _GOOD_FOR[kind]
    )
    return f"{settings.HIMS_BASE_URL}{_PAGE}?{urlencode({'token': token})}"


@transaction.atomic
def reset_password(*, token: str, password: str, place: Place = NOWHERE) -> User:
    """Choose a password by a mailed link. The link and all others of the person are spent, every session ends, no failure counts.

    Every API key is revoked too: whoever resets a password may have lost the account to somebody who made keys.

    Raises RateLimited, BadLink, and Invalid for the password, which leaves the link good.
    """
    throttle.refuse_flood("reset", place)
    link = _live_links().select_for_update().filter(token_hash=tokens.fingerprint(token)).first()
    if link is None:
        raise BadLink
    user = closing.locked(link.user_id)
    if not user.is_staff:
        raise BadLink
    _choose(user, user, password, field="new_password")
    void_links(user)
    revoke_keys_of(by=user, user=user, reason="password_reset")
    throttle.forgive(user)
    return user


def void_links(user: User) -> None:
    """None of the links that were mailed to this person is good any more. Inside the caller's transaction."""
    PasswordLink.objects.filter(user=user, used_at=None).update(used_at=clock.now())


def is_good_link(token: str, place: Place = NOWHERE) -> bool:
    """Whether a link would be taken, for the page that asks for the password. Raises RateLimited."""
    throttle.refuse_flood("link", place)
    return _live_links().filter(token_hash=tokens.fingerprint(token), user__is_active=True).exists()


def refuse_weak(password: str, user: User, field: str = "password") -> None:
    """Raises Invalid with every fault of the password."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(errors=[{"field": field, "issue": issue} for issue in error.messages]) from error


def _choose(
    by: Actor, user: User, password: str, *, check: bool = True, but: UUID | None = None, field: str = "password"
) -> None:
    if check:
        refuse_weak(password, user, field)
    user.amend(password=make_password(password), password_needs_mfa=check and len(password) < rules.LENGTH)
    closing.end_everywhere(by=by, user=user, reason=Session.End.PASSWORD_CHANGED, but=but)
    emit(StaffChanged(user_id=user.pk, changes=("password",)), by=by)


def _live_links() -> QuerySet[PasswordLink]:
    return PasswordLink.objects.filter(used_at=None, expires_at__gt=clock.now())
