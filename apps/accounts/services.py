"""Hiring and deactivating staff, signing in, refreshing, signing out."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from stdnum import luhn

from apps.access.actor import Actor
from apps.access.roles import STAFF, Role
from apps.accounts import tokens
from apps.accounts.events import SessionEnded, SessionStarted, StaffChanged, StaffDeactivated, StaffHired, StaffReactivated
from apps.accounts.models import Doctor, RefreshToken, Session, User
from apps.audit import services as audit
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.common.errors import Conflict, Invalid, NotFound, Unauthenticated
from apps.common.ids import new_id
from apps.events.services import emit

_NPI = re.compile(r"[12]\d{9}", re.ASCII)
_TAXONOMY = re.compile(r"[0-9A-Z]{9}X")


class WrongCredentials(Unauthenticated):
    """The one answer to an unknown name, a wrong password, a disabled account and a patient at the staff door."""

    message = "Invalid credentials"


class UsernameTaken(Conflict):
    message = "Somebody already signs in with this username or e-mail."


class NpiTaken(Conflict):
    message = "Another doctor already has this National Provider Identifier."


class AlreadyEnded(Conflict):
    message = "This session has already ended."


class AlreadyDeactivated(Conflict):
    message = "This person is already deactivated."


class AlreadyActive(Conflict):
    message = "This person is already active."


@dataclass(frozen=True, kw_only=True)
class NewStaff:
    """A person to be hired. The last four are a doctor's."""

    username: str
    email: str
    first_name: str
    last_name: str
    role: str
    password: str
    id: UUID | None = None
    specialty: str = ""
    npi: str = ""
    taxonomy: str = ""
    languages: Sequence[str] = ()


@dataclass(frozen=True)
class SignedIn:
    """The person and a fresh pair of tokens."""

    user: User
    tokens: tokens.Pair


@transaction.atomic
def hire(*, by: Actor, staff: NewStaff, check_password: bool = True) -> User:
    """Open an account. Raises Invalid (field named) and UsernameTaken. Seeded accounts skip the password rules, nobody else."""
    user = User(
        id=staff.id or new_id(),
        username=staff.username,
        email=staff.email,
        first_name=staff.first_name,
        last_name=staff.last_name,
        role=_staff_role(staff.role),
    )
    if check_password:
        _check_password(staff.password, user)
    _refuse_taken(user)
    user.password = make_password(staff.password)
    with _taken_at_the_same_moment():
        user.save(force_insert=True)
    if user.role == Role.DOCTOR:
        _write_practice(
            Doctor(user=user), specialty=staff.specialty, npi=staff.npi, taxonomy=staff.taxonomy, languages=list(staff.languages)
        )
    emit(StaffHired(user_id=user.pk, role=user.role), by=by)
    return user


@transaction.atomic
def change_staff(*, by: Actor, user_id: UUID, changes: dict[str, Any]) -> User:
    """Change a name, e-mail or role. A new role ends the sessions that had the old one. Raises Invalid, UsernameTaken."""
    user = _staff_locked(user_id)
    if "role" in changes:
        changes = changes | {"role": _staff_role(changes["role"])}
        if user.pk == by.id and changes["role"] != user.role:
            raise Conflict("You cannot change your own role.", field="role")
    if "email" in changes:
        _refuse_taken(User(pk=user.pk, email=changes["email"]))
    with _taken_at_the_same_moment():
        changed = user.amend(**changes)
    if "role" in changed:
        end_sessions(by=by, user=user, reason=Session.End.ROLE_CHANGED)
        if user.role == Role.DOCTOR and not Doctor.objects.filter(pk=user.pk).exists():
            _write_practice(Doctor(user=user))
    if changed:
        emit(StaffChanged(user_id=user.pk, changes=tuple(changed)), by=by)
    return user


@transaction.atomic
def change_practice(*, by: Actor, user_id: UUID, changes: dict[str, Any]) -> Doctor:
    """Change a doctor's specialty, NPI, taxonomy or languages. Raises Invalid naming the field, NpiTaken."""
    doctor = Doctor.objects.select_for_update().filter(pk=user_id).first()
    if doctor is None:
        raise NotFound("There is no such doctor.")
    changed = tuple(name for name, value in changes.items() if getattr(doctor, name) != value)
    if changed:
        _write_practice(doctor, **changes)
        emit(StaffChanged(user_id=doctor.pk, changes=changed), by=by)
    return doctor


@transaction.atomic
def set_password(*, by: Actor, user_id: UUID, password: str, check: bool = True) -> None:
    """Give a person a new password; every session of theirs ends."""
    user = _staff_locked(user_id)
    if check:
        _check_password(password, user)
    user.amend(password=make_password(password))
    end_sessions(by=by, user=user, reason=Session.End.PASSWORD_CHANGED)
    emit(StaffChanged(user_id=user.pk, changes=("password",)), by=by)


@transaction.atomic
def deactivate(*, by: Actor, user_id: UUID) -> User:
    """Close the account at once: the next request with any of its tokens is refused. Raises AlreadyDeactivated."""
    user = _staff_locked(user_id)
    if user.pk == by.id:
        raise Conflict("You cannot deactivate yourself.")
    if not user.amend(is_active=False):
        raise AlreadyDeactivated
    end_sessions(by=by, user=user, reason=Session.End.DEACTIVATED)
    emit(StaffDeactivated(user_id=user.pk), by=by)
    return user


@transaction.atomic
def reactivate(*, by: Actor, user_id: UUID) -> User:
    """Open the account again. Raises AlreadyActive."""
    user = _staff_locked(user_id)
    if not user.amend(is_active=True):
        raise AlreadyActive
    emit(StaffReactivated(user_id=user.pk), by=by)
    return user


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


def _write_practice(doctor: Doctor, **values: Any) -> None:
    """Set and save what is a doctor's own. Raises Invalid naming the field, NpiTaken."""
    for name, value in values.items():
        setattr(doctor, name, value)
    if doctor.npi and not (_NPI.fullmatch(doctor.npi) and luhn.is_valid("80840" + doctor.npi)):
        raise Invalid(field="npi", issue="This is no National Provider Identifier: its check digit is wrong.")
    if doctor.taxonomy and not _TAXONOMY.fullmatch(doctor.taxonomy):
        raise Invalid(field="taxonomy", issue="A NUCC taxonomy code has nine letters or digits and an X.")
    if doctor.npi and Doctor.objects.filter(npi=doctor.npi).exclude(pk=doctor.pk).exists():
        raise NpiTaken(field="npi")
    doctor.save()


def _refuse_taken(user: User) -> None:
    others = User.objects.exclude(pk=user.pk)
    if user.username and others.filter(username__iexact=user.username).exists():
        raise UsernameTaken(field="username")
    if others.filter(email__iexact=user.email).exists():
        raise UsernameTaken(field="email")


@contextmanager
def _taken_at_the_same_moment() -> Iterator[None]:
    """The database has the last word where two ask for one name at once."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        column = next((name for name in ("username", "email") if f"user_{name}_once" in str(error)), None)
        if column is None:
            raise
        raise UsernameTaken(field=column) from error


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(errors=[{"field": "password", "issue": issue} for issue in error.messages]) from error


def _staff_role(role: str) -> Role:
    if role not in set(Role) - {Role.PATIENT}:
        raise Invalid(field="role", issue=f"Must be one of {', '.join(STAFF)}.")
    return Role(role)


def _staff_locked(user_id: UUID) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such member of staff.")
    return user
