"""Sets passwords: the own, another user's by an administrator, and through a mailed link."""

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
from apps.accounts import rules, selectors
from apps.accounts.authentication import tokens
from apps.accounts.events import PasswordResetAccepted, PasswordResetRequested, StaffChanged
from apps.accounts.models import PasswordLink, Session, User
from apps.accounts.services import lockout, session_revocation
from apps.accounts.services.api_keys import revoke_all_keys
from apps.accounts.services.credentials import UNKNOWN_PLACE
from apps.accounts.services.lockout import SignInPlace
from apps.accounts.services.reauthentication import verify_password
from apps.common import clock, keyring
from apps.common.errors import Invalid, NotFound
from apps.events.services import emit
from apps.rest import limits
from apps.rest.limits import RateClass
from apps.rest.permissions import require_recent_login

_VALID_FOR = {PasswordLink.Purpose.RESET: timedelta(minutes=30), PasswordLink.Purpose.INVITATION: timedelta(days=7)}
_PAGE = "/admin/password-reset/"
_MAILS_AN_HOUR = 5  # to one account, however many requests there are
_MAILS_A_MINUTE = 2


class _AnonymousActor:
    """An anonymous caller."""

    id = None
    role = ""


_ANONYMOUS = _AnonymousActor()


class InvalidLink(Invalid):
    """Unknown, used, void, expired, or of a closed account: one error for all."""

    message = "This link is invalid, was already used or has expired. Ask for a new one."

    def __init__(self) -> None:
        super().__init__(field="token", issue=self.message)


@transaction.atomic
def set_password(*, by: Actor, user_id: UUID, password: str, check: bool = True, revoke_api_keys: bool = False) -> None:
    """Gives a user a new password; all their sessions and mailed links end, in browsers too. Raises ReauthenticationRequired."""
    require_recent_login(by)
    user = session_revocation.lock_manageable(by, user_id)
    _set_password(by, user, password, check=check)
    if revoke_api_keys:
        revoke_all_keys(by=by, user=user, reason="password_changed")


def change_password(*, by: Actor, session_id: UUID | None, current: str, new: str, revoke_api_keys: bool = False) -> User:
    """Changes the own password. This session continues, all others end, in browsers too; API keys only on request.

    Raises WrongCredentials, RateLimited, Invalid with the field.
    """
    verify_password(by=by, password=current, session_id=session_id, field="current_password")
    if current == new:
        raise Invalid(field="new_password", issue="This is your current password. Choose another one.")
    with transaction.atomic():
        user = session_revocation.lock_staff_member(by.id)
        _set_password(by, user, new, keep_session_id=session_id, field="new_password")
        if revoke_api_keys:
            revoke_all_keys(by=by, user=user, reason="password_changed")
        session_revocation.session_by_id(session_id).update(enrollment_only=selectors.must_enrol(user), failed_proofs=0)
    return user


@transaction.atomic
def request_password_reset(*, identifier: str, place: SignInPlace = UNKNOWN_PLACE) -> None:
    """Handles a forgotten password for this e-mail or username. The same work whether or not the account exists.

    Raises RateLimited for too many requests from one address, or for one name.
    """
    lockout.check_request_rate("forgot", place, identifier)
    emit(PasswordResetRequested(sealed=keyring.encrypt(identifier.strip().encode(errors="replace")).decode()), by=_ANONYMOUS)


@transaction.atomic
def process_reset_request(*, sealed: str) -> None:
    """Emits that an account requested a link, if the text names one. The worker's part of `request_password_reset`."""
    identifier = keyring.decrypt(sealed.encode()).decode()
    users = User.objects.filter(Q(email__iexact=identifier) | Q(username__iexact=identifier)).select_for_update()
    for user in users:
        recent_links = PasswordLink.objects.filter(user=user, created_at__gt=clock.now() - timedelta(hours=1))
        if user.is_staff and recent_links.count() < _MAILS_AN_HOUR and _is_within_mail_limit(user):
            emit(PasswordResetAccepted(user_id=user.pk), by=_ANONYMOUS)


def _is_within_mail_limit(user: User) -> bool:
    """Returns whether the account is within two mails a minute: the task that mails a link creates it, so the hourly count sees a
    burst too late."""
    return limits.hit(RateClass.AUTH, f"reset-mail:{user.pk}", per_minute=_MAILS_A_MINUTE).allowed


@transaction.atomic
def create_password_link(*, user_id: UUID, purpose: str = PasswordLink.Purpose.RESET) -> str:
    """Creates a link that sets a password: for 30 minutes, an invitation for 7 days. Called by the task that mails it.

    Only the return value contains the token. Raises NotFound if there is no active user with this id.
    """
    user = selectors.staff_member(user_id)
    if user is None:
        raise NotFound("There is no such member of staff.")
    token, now, checked_purpose = secrets.token_urlsafe(32), clock.now(), PasswordLink.Purpose(purpose)
    PasswordLink.objects.create(
        token_hash=tokens.fingerprint(token),
        user=user,
        purpose=checked_purpose,
        created_at=now,
        expires_at=now + _VALID_FOR[checked_purpose],
    )
    return f"{settings.HIMS_BASE_URL}{_PAGE}?{urlencode({'token': token})}"


@transaction.atomic
def reset_password(*, token: str, password: str, place: SignInPlace = UNKNOWN_PLACE) -> User:
    """Sets a password through a mailed link. The link and all others of the user become void, all sessions end, failures are
    cleared.

    All API keys are revoked too: an attacker may have used the account to create keys.

    Raises RateLimited, InvalidLink, and Invalid for the password, which leaves the link valid.
    """
    lockout.check_request_rate("reset", place)
    link = _live_links().filter(token_hash=tokens.fingerprint(token))
    user_id = link.values_list("user", flat=True).first()
    if user_id is None:
        raise InvalidLink
    user = session_revocation.lock_staff_member(user_id)
    if not user.is_staff or not link.exists():  # links become void under the lock of their user
        raise InvalidLink
    _set_password(user, user, password, field="new_password")
    revoke_all_keys(by=user, user=user, reason="password_reset")
    lockout.reset_lockout(user)
    return user


def void_links(user: User) -> None:
    """Voids all links that were mailed to this user, inside the caller's transaction, which has the user's row locked."""
    PasswordLink.objects.filter(user=user, used_at=None).update(used_at=clock.now())


def is_valid_link(token: str, place: SignInPlace = UNKNOWN_PLACE) -> bool:
    """Returns whether a link would be accepted, for the page that asks for the password. Raises RateLimited."""
    lockout.check_request_rate("link", place)
    return _live_links().filter(token_hash=tokens.fingerprint(token), user__is_active=True).exists()


def check_strength(password: str, user: User, field: str = "password") -> None:
    """Raises Invalid with all faults of the password."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(errors=[{"field": field, "issue": issue} for issue in error.messages]) from error


def _set_password(
    by: Actor, user: User, password: str, *, check: bool = True, keep_session_id: UUID | None = None, field: str = "password"
) -> None:
    if check:
        check_strength(password, user, field)
    user.amend(password=make_password(password), password_needs_mfa=check and len(password) < rules.LENGTH)
    void_links(user)
    session_revocation.end_everywhere(by=by, user=user, reason=Session.End.PASSWORD_CHANGED, keep_session_id=keep_session_id)
    emit(StaffChanged(user_id=user.pk, changes=("password",)), by=by)


def _live_links() -> QuerySet[PasswordLink]:
    return PasswordLink.objects.filter(used_at=None, expires_at__gt=clock.now())
