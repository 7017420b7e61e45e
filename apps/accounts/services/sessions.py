"""Signs in, refreshes, signs out: the lifecycle of an API session."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.access.actor import Actor
from apps.accounts import selectors
from apps.accounts.authentication import tokens
from apps.accounts.events import SessionStarted
from apps.accounts.models import RefreshToken, Session, User
from apps.accounts.services import lockout, session_revocation
from apps.accounts.services.credentials import WrongCredentials, authenticate, check_code
from apps.accounts.services.lockout import NO_USER_ID, SignInPlace
from apps.common import clock
from apps.common.errors import NotFound
from apps.common.ids import new_id
from apps.events.services import emit


@dataclass(frozen=True)
class SignedIn:
    """The user and a new pair of tokens. `enrollment_only`: they are valid only for setting up the second factor."""

    user: User
    tokens: tokens.TokenPair
    enrollment_only: bool = False


def sign_in(*, username: str, password: str, ip: str | None, user_agent: str, mfa_code: str = "") -> SignedIn:
    """Starts an API session. Raises WrongCredentials, MfaRequired, MfaInvalid, RateLimited, PasswordResetRequired."""
    place = SignInPlace(ip)
    user = authenticate(username, password, place=place)
    check_code(user, mfa_code, place=place)
    with transaction.atomic():
        user = _lock_unchanged(user)
        session = _open_session(user, place, user_agent)
        pair = _issue_tokens(session)
        emit(SessionStarted(user_id=user.pk, session_id=session.pk), by=user)
        lockout.record_login(user=user, place=place, session_id=session.pk)
    return SignedIn(user=user, tokens=pair, enrollment_only=session.enrollment_only)


def _lock_unchanged(user: User) -> User:
    """Returns the user with the row locked, so that an end of all sessions comes before this one begins, or ends it too.

    Raises WrongCredentials if the stamp is not the one of the check: since then the password, the second factor or the role has
    changed, or the user has signed out everywhere.
    """
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)  # rows of failures that name the user need not wait
    if not row.is_staff or row.security_stamp != user.security_stamp:
        raise WrongCredentials
    return row


def _open_session(user: User, place: SignInPlace, user_agent: str) -> Session:
    """Stores the session. While the user still has to set up a second factor, it is valid for that alone."""
    now = clock.now()
    User.objects.filter(pk=user.pk).update(last_login=now)
    return Session.objects.create(
        id=new_id(),
        user=user,
        started_at=now,
        last_seen_at=now,
        expires_at=now + settings.API_SESSION_ABSOLUTE,
        ip=place.ip,
        user_agent=user_agent[:200],
        reauthenticated_at=now,
        enrollment_only=selectors.must_enrol(user),
    )


def _issue_tokens(session: Session) -> tokens.TokenPair:
    pair = tokens.issue(user_id=session.user_id, session_id=session.pk, until=session.expires_at)
    RefreshToken.objects.create(token_hash=tokens.fingerprint(pair.refresh_token), session=session, issued_at=clock.now())
    return pair


def sign_in_browser(*, user: User, place: SignInPlace) -> None:
    """Signs an authenticated user in at a page, whose session Django stores."""
    with transaction.atomic():
        lockout.record_login(user=user, place=place, session_id=None)


def refresh(*, refresh_token: str) -> tokens.TokenPair:
    """Returns a new pair for an unused refresh token. Raises InvalidToken; a token that is used again ends its whole session."""
    claims = tokens.read_refresh(refresh_token)
    with transaction.atomic():  # ends before the refusal is raised, so that the end of the session is stored
        pair = _rotate(claims, refresh_token)
    if pair is None:
        raise tokens.InvalidToken
    return pair


def _rotate(claims: tokens.Claims, raw: str) -> tokens.TokenPair | None:
    """Spends the token under the session's row lock: of two concurrent uses one succeeds and the other is detected as a copy."""
    now = clock.now()
    live = Session.objects.filter(
        pk=claims.session_id,
        user=claims.user_id,
        ended_at=None,
        expires_at__gt=now,
        last_seen_at__gt=now - settings.API_SESSION_IDLE,
    )
    session = live.select_related("user").select_for_update(of=("self",)).first()
    if session is None or not session.user.is_staff:
        return None
    own = RefreshToken.objects.filter(token_hash=tokens.fingerprint(raw), session=session)
    if own.filter(used_at=None).update(used_at=now):
        session.last_seen_at = now
        session.save(update_fields=["last_seen_at"])
        return _issue_tokens(session)
    if own.exists():
        session_revocation.end_all(Session.objects.filter(pk=session.pk), session.user, Session.End.REFRESH_REUSED)
    return None


def record_session_use(session_id: UUID) -> None:
    """Records that the session was used just now."""
    Session.objects.filter(pk=session_id).update(last_seen_at=clock.now())


def sign_out(*, by: Actor, session_id: UUID, all_sessions: bool = False) -> int:
    """Ends this session, or all of the user's, in browsers too. Returns how many API sessions ended."""
    if all_sessions:
        return end_other_sessions(by=by, keep_session_id=None)
    with transaction.atomic():
        own = session_revocation.session_by_id(session_id).filter(user_id=by.id or NO_USER_ID, ended_at=None)
        return session_revocation.end_all(own, by, Session.End.SIGNED_OUT)


def end_other_sessions(*, by: Actor, keep_session_id: UUID | None) -> int:
    """Ends all of the own sessions but one, in browsers too. Returns how many API sessions ended."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=by.id or NO_USER_ID)
        return session_revocation.end_everywhere(by=by, user=user, reason=Session.End.SIGNED_OUT, keep_session_id=keep_session_id)


def end_own_session(*, by: Actor, session_id: UUID) -> Session:
    """Ends one of the own sessions. Raises NotFound for another user's session, AlreadyEnded."""
    with transaction.atomic():
        if not session_revocation.session_by_id(session_id).filter(user_id=by.id or NO_USER_ID).exists():
            raise NotFound
        session_revocation.end_session(by=by, session_id=session_id)
        return Session.objects.get(pk=session_id)
