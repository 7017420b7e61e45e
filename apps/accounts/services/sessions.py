"""Signing in, refreshing, signing out: the life of a session over the API."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import QuerySet

from apps.access.actor import Actor
from apps.accounts import tokens
from apps.accounts.events import SessionEnded, SessionStarted
from apps.accounts.models import RefreshToken, Session, User
from apps.audit import services as audit
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.common.errors import Conflict, Unauthenticated
from apps.common.ids import new_id
from apps.events.services import emit


class WrongCredentials(Unauthenticated):
    """The one answer to an unknown name, a wrong password, a disabled account and a patient at the staff door."""

    message = "Invalid credentials"


class AlreadyEnded(Conflict):
    message = "This session has already ended."


@dataclass(frozen=True)
class SignedIn:
    """The person and a fresh pair of tokens."""

    user: User
    tokens: tokens.Pair


def recognise(username: str, password: str) -> User:
    """The active member of staff with these credentials. Raises WrongCredentials after equal work; notes the try."""
    user = User.objects.filter(username__iexact=username.strip()).first()
    if user is None:
        make_password(password)  # as long as checking one takes
        known = False
    else:
        known = user.check_password(password) and user.is_staff
    if not known:
        audit.note(by=None, action="session.refused", outcome=AuditEvent.Outcome.DENIED, object_id=user.pk if user else None)
        raise WrongCredentials
    assert user is not None
    return user


def sign_in(*, username: str, password: str, ip: str | None, user_agent: str) -> SignedIn:
    """Start a session over the API. Raises WrongCredentials."""
    user = recognise(username, password)
    return _start(user, ip, user_agent)


def refresh(*, refresh_token: str) -> tokens.Pair:
    """A new pair for a refresh token that was never used. Raises BadToken; a token that comes back ends its whole session."""
    session_id = tokens.session_of_refresh(refresh_token)
    with transaction.atomic():  # ends before the refusal is raised, so that the session's end is kept
        pair = _rotate(session_id, refresh_token)
    if pair is None:
        raise tokens.BadToken
    return pair


def seen(session_id: UUID) -> None:
    """The session was used just now."""
    Session.objects.filter(pk=session_id).update(last_seen_at=clock.now())


def sign_out(*, by: Actor, session_id: UUID, all_sessions: bool = False) -> int:
    """End this session, or all of the person's. Answers how many ended."""
    with transaction.atomic():
        live = Session.objects.filter(user_id=by.id, ended_at=None) if by.id else Session.objects.none()
        return _end(live if all_sessions else live.filter(pk=session_id), by, Session.End.SIGNED_OUT)


def end_session(*, by: Actor, session_id: UUID) -> None:
    """End somebody's session: the next request with its tokens is refused. Raises AlreadyEnded."""
    with transaction.atomic():
        if not _end(Session.objects.filter(pk=session_id, ended_at=None), by, Session.End.SIGNED_OUT):
            raise AlreadyEnded


def end_sessions(*, by: Actor, user: User, reason: str) -> int:
    """End every live session of a person. Answers how many ended."""
    with transaction.atomic():
        return _end(Session.objects.filter(user=user, ended_at=None), by, reason)


def _start(user: User, ip: str | None, user_agent: str) -> SignedIn:
    now = clock.now()
    with transaction.atomic():
        session = Session.objects.create(
            id=new_id(),
            user=user,
            started_at=now,
            last_seen_at=now,
            expires_at=now + settings.API_SESSION_ABSOLUTE,
            ip=ip,
            user_agent=user_agent[:200],
        )
        pair = _issue(session)
        User.objects.filter(pk=user.pk).update(last_login=now)
        emit(SessionStarted(user_id=user.pk, session_id=session.pk), by=user)
    return SignedIn(user=user, tokens=pair)


def _issue(session: Session) -> tokens.Pair:
    pair = tokens.issue(user_id=session.user_id, session_id=session.pk, until=session.expires_at)
    RefreshToken.objects.create(token_hash=tokens.fingerprint(pair.refresh_token), session=session, issued_at=clock.now())
    return pair


def _rotate(session_id: UUID, raw: str) -> tokens.Pair | None:
    """Spend the token under the session's row lock, so that of two at once one wins and the other is seen to be a copy."""
    now = clock.now()
    live = Session.objects.filter(
        pk=session_id, ended_at=None, expires_at__gt=now, last_seen_at__gt=now - settings.API_SESSION_IDLE
    )
    session = live.select_related("user").select_for_update(of=("self",)).first()
    if session is None or not session.user.is_staff:
        return None
    mine = RefreshToken.objects.filter(token_hash=tokens.fingerprint(raw), session=session)
    if mine.filter(used_at=None).update(used_at=now):
        session.last_seen_at = now
        session.save(update_fields=["last_seen_at"])
        return _issue(session)
    if mine.exists():
        _end(Session.objects.filter(pk=session.pk), session.user, Session.End.REFRESH_REUSED)
    return None


def _end(live: QuerySet[Session], by: Actor, reason: str) -> int:
    ending = list(live.select_for_update())
    live.update(ended_at=clock.now(), end_reason=reason)
    for session in ending:
        emit(SessionEnded(user_id=session.user_id, session_id=session.pk, reason=reason), by=by)
    return len(ending)
