"""Hires, changes and deactivates staff."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.db import IntegrityError, transaction
from stdnum import luhn

from apps.access.actor import Actor
from apps.access.roles import STAFF, Role
from apps.accounts.events import EmailChanged, StaffChanged, StaffDeactivated, StaffHired, StaffInvited, StaffReactivated
from apps.accounts.models import Doctor, Session, User
from apps.accounts.ports import booked_appointments
from apps.accounts.services.api_keys import revoke_all_keys
from apps.accounts.services.passwords import check_strength, void_links
from apps.accounts.services.session_revocation import check_may_manage, end_everywhere, lock_manageable
from apps.common import keyring, locks, text
from apps.common.errors import Conflict, Invalid, NotFound, RateLimited
from apps.common.ids import new_id
from apps.common.locks import LockName
from apps.events.services import emit
from apps.rest import limits
from apps.rest.limits import RateClass
from apps.rest.permissions import require_recent_login

_NPI = re.compile(r"[12]\d{9}", re.ASCII)
DOCTOR_FIELDS = ("specialty", "npi", "taxonomy", "languages")
_INVITATIONS = 30  # a minute, by one user
_NEW_ADDRESSES = 5  # a minute, for one account
_TAXONOMY = re.compile(r"[0-9A-Z]{9}X")


class UsernameTaken(Conflict):
    message = "This username or e-mail is already in use."


class NpiTaken(Conflict):
    message = "Another doctor already has this National Provider Identifier."


class AlreadyDeactivated(Conflict):
    message = "This person is already deactivated."


class OwnAccount(Conflict):
    message = "You cannot deactivate yourself."


class LastAdministrator(Conflict):
    message = "This is the last administrator who can sign in. Create another one first."


class AlreadyActive(Conflict):
    message = "This person is already active."


@dataclass(frozen=True, kw_only=True)
class NewStaff:
    """A new member of staff; an invited one has no password yet. The last four fields apply to doctors."""

    username: str
    email: str
    first_name: str
    last_name: str
    role: str
    password: str = ""
    id: UUID | None = None
    specialty: str = ""
    npi: str = ""
    taxonomy: str = ""
    languages: Sequence[str] = ()


@dataclass(frozen=True)
class Addresses:
    """The previous and the current e-mail address of an account."""

    former: str
    new: str


@transaction.atomic
def hire(*, by: Actor, staff: NewStaff, check_password: bool = True) -> User:
    """Opens an account. Only seeded accounts skip the password rules.

    Raises ReauthenticationRequired, Forbidden, Invalid with the field, and UsernameTaken.
    """
    require_recent_login(by)
    check_may_manage(by, staff.role)
    user = _build_user(staff)
    if check_password:
        check_strength(staff.password, user)
    user.password = make_password(staff.password)
    _open_account(user, staff)
    emit(StaffHired(user_id=user.pk, role=user.role), by=by)
    return user


@transaction.atomic
def invite(*, by: Actor, staff: NewStaff) -> User:
    """Opens an account without a password: a listener of StaffInvited mails the link that sets it.

    Raises ReauthenticationRequired, Forbidden, RateLimited, Invalid with the field, UsernameTaken, NpiTaken.
    """
    require_recent_login(by)
    check_may_manage(by, staff.role)
    _check_mail_rate("invite", str(by.id), per_minute=_INVITATIONS)
    user = _build_user(staff)
    user.set_unusable_password()
    if user.role != Role.DOCTOR:
        _refuse_doctor_fields({name: getattr(staff, name) for name in DOCTOR_FIELDS if getattr(staff, name)})
    _open_account(user, staff)
    emit(StaffInvited(user_id=user.pk, role=user.role), by=by)
    return user


@transaction.atomic
def change_account(*, by: Actor, user_id: UUID, changes: dict[str, Any]) -> User:
    """Changes a user and, for a doctor, the profile: all or nothing. Raises what the two halves raise."""
    profile = {name: value for name, value in changes.items() if name in DOCTOR_FIELDS}
    user = change_staff(by=by, user_id=user_id, changes={name: changes[name] for name in changes if name not in DOCTOR_FIELDS})
    if profile and user.role != Role.DOCTOR:
        _refuse_doctor_fields(profile)
    if profile:
        change_doctor_profile(by=by, user_id=user_id, changes=profile)
    return user


@transaction.atomic
def change_staff(*, by: Actor, user_id: UUID, changes: dict[str, Any]) -> User:
    """Changes a name, e-mail or role. A new role ends the sessions that had the old one.

    A change of e-mail or role requires a recent password: links that set the password go to the e-mail address. Raises
    ReauthenticationRequired, RateLimited, Invalid, UsernameTaken.
    """
    user = lock_manageable(by, user_id)
    changes = _cleaned(changes)
    if not (changes.get("first_name", user.first_name) or changes.get("last_name", user.last_name)):
        raise _name_missing()
    former = user.email
    if any(name in changes and changes[name] != getattr(user, name) for name in ("email", "role")):
        require_recent_login(by)
    if "role" in changes:
        changes = changes | {"role": _staff_role(changes["role"])}
        check_may_manage(by, changes["role"])
        if user.pk == by.id and changes["role"] != user.role:
            raise OwnAccount("You cannot change your own role.", field="role")
        if changes["role"] != Role.ADMIN:
            _check_administrator_remains(user)
    if "email" in changes:
        _check_not_taken(User(pk=user.pk, email=changes["email"]))
    with _unique_violation_as_taken():
        changed = user.amend(**changes)
    if "email" in changed:
        _check_mail_rate("email", str(user.pk), per_minute=_NEW_ADDRESSES)
        _emit_email_changed(by, user, former=former)
    if "role" in changed:
        end_everywhere(by=by, user=user, reason=Session.End.ROLE_CHANGED)
        if user.role == Role.DOCTOR and not Doctor.objects.filter(pk=user.pk).exists():
            _save_doctor(Doctor(user=user))
    if changed:
        emit(StaffChanged(user_id=user.pk, changes=tuple(changed)), by=by)
    return user


@transaction.atomic
def change_doctor_profile(*, by: Actor, user_id: UUID, changes: dict[str, Any]) -> Doctor:
    """Changes a doctor's specialty, NPI, taxonomy or languages. Raises Invalid with the field, NpiTaken."""
    doctor = Doctor.objects.select_for_update().filter(pk=user_id).first()
    if doctor is None:
        raise NotFound("There is no such doctor.")
    changed = tuple(name for name, value in changes.items() if getattr(doctor, name) != value)
    if changed:
        _save_doctor(doctor, **changes)
        emit(StaffChanged(user_id=doctor.pk, changes=changed), by=by)
    return doctor


@transaction.atomic
def deactivate(*, by: Actor, user_id: UUID) -> User:
    """Closes the account immediately: the next request with any of its tokens or keys is refused. Its keys stay revoked.

    Raises ReauthenticationRequired, Forbidden, AlreadyDeactivated, LastAdministrator.
    """
    require_recent_login(by)
    user = lock_manageable(by, user_id)
    if user.pk == by.id:
        raise OwnAccount
    _check_administrator_remains(user)
    if not user.amend(is_active=False):
        raise AlreadyDeactivated
    end_everywhere(by=by, user=user, reason=Session.End.DEACTIVATED)
    void_links(user)
    revoke_all_keys(by=by, user=user, reason="owner_deactivated")
    emit(StaffDeactivated(user_id=user.pk), by=by)
    return user


def visits_affected(by: Actor, user: User) -> int:
    """Returns how many appointments stay booked with a user who no longer works as a doctor, of those that the actor may see."""
    is_practising = user.is_active and user.role == Role.DOCTOR
    return 0 if is_practising else booked_appointments.count(by, user.pk)


@transaction.atomic
def reactivate(*, by: Actor, user_id: UUID) -> User:
    """Reopens the account. Raises ReauthenticationRequired, Forbidden, AlreadyActive."""
    require_recent_login(by)
    user = lock_manageable(by, user_id)
    if not user.amend(is_active=True):
        raise AlreadyActive
    emit(StaffReactivated(user_id=user.pk), by=by)
    return user


@transaction.atomic
def revoke_sessions(*, by: Actor, user_id: UUID) -> int:
    """Ends every session of a user, in the API and in browsers. Returns how many API sessions ended."""
    return end_everywhere(by=by, user=lock_manageable(by, user_id), reason=Session.End.SIGNED_OUT)


def _emit_email_changed(by: Actor, user: User, *, former: str) -> None:
    """Voids links that were mailed to the previous address; a user without a password gets a new one by mail."""
    void_links(user)
    addresses = json.dumps({"former": former, "new": user.email}).encode()
    emit(EmailChanged(user_id=user.pk, sealed=keyring.encrypt(addresses).decode()), by=by)
    if not user.has_usable_password():
        emit(StaffInvited(user_id=user.pk, role=user.role), by=by)


def addresses_of(sealed: str) -> Addresses:
    """Returns the two addresses of an EmailChanged event."""
    return Addresses(**json.loads(keyring.decrypt(sealed.encode())))


def _check_mail_rate(what: str, whose: str, *, per_minute: int) -> None:
    """Limits the mails, because the caller chooses the addresses. Raises RateLimited."""
    verdict = limits.hit(RateClass.AUTH, f"{what}:{whose}", per_minute=per_minute)
    if not verdict.allowed:
        raise RateLimited("Too many e-mails in one minute. Wait, then repeat the request.", retry_after=verdict.retry_after)


def _build_user(staff: NewStaff) -> User:
    names = _cleaned({name: getattr(staff, name) for name in ("username", "email", "first_name", "last_name")})
    if not names["first_name"] and not names["last_name"]:
        raise _name_missing()
    return User(id=staff.id or new_id(), role=_staff_role(staff.role), **names)


def _cleaned(values: dict[str, Any]) -> dict[str, Any]:
    """Returns the values, with texts as `text.clean_line` returns them. Raises Invalid with the field."""
    return {name: text.checked_line(value, field=name) if isinstance(value, str) else value for name, value in values.items()}


def _name_missing() -> Invalid:
    return Invalid(field="last_name", issue="Enter a first name or a last name. One of them may be empty, not both.")


def _open_account(user: User, staff: NewStaff) -> None:
    _check_not_taken(user)
    with _unique_violation_as_taken():
        user.save(force_insert=True)
    if user.role == Role.DOCTOR:
        _save_doctor(
            Doctor(user=user), specialty=staff.specialty, npi=staff.npi, taxonomy=staff.taxonomy, languages=list(staff.languages)
        )


def _refuse_doctor_fields(sent: dict[str, Any]) -> None:
    if sent:
        raise Invalid(errors=[{"field": name, "issue": "Only doctors have this."} for name in sent])


def _check_administrator_remains(user: User) -> None:
    """Checks under a lock, so that two administrators who remove each other at the same time do not both succeed."""
    if not user.is_staff or user.role != Role.ADMIN:
        return
    locks.lock(LockName.ADMINISTRATORS)
    others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=user.pk)
    if not others.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).exists():
        raise LastAdministrator


def _save_doctor(doctor: Doctor, **values: Any) -> None:
    """Sets and saves the doctor's profile. Raises Invalid with the field, NpiTaken."""
    for name, value in _cleaned(values).items():
        setattr(doctor, name, value)
    if doctor.npi and not (_NPI.fullmatch(doctor.npi) and luhn.is_valid("80840" + doctor.npi)):
        raise Invalid(field="npi", issue="This is not a National Provider Identifier: its check digit is wrong.")
    if doctor.taxonomy and not _TAXONOMY.fullmatch(doctor.taxonomy):
        raise Invalid(field="taxonomy", issue="A NUCC taxonomy code has nine letters or digits and an X.")
    if doctor.npi and Doctor.objects.filter(npi=doctor.npi).exclude(pk=doctor.pk).exists():
        raise NpiTaken(field="npi")
    doctor.save()


def _check_not_taken(user: User) -> None:
    others = User.objects.exclude(pk=user.pk)
    if user.username and others.filter(username__iexact=user.username).exists():
        raise UsernameTaken(field="username")
    if others.filter(email__iexact=user.email).exists():
        raise UsernameTaken(field="email")


@contextmanager
def _unique_violation_as_taken() -> Iterator[None]:
    """Turns the database's unique violation into the error, for two requests with one name at the same time."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        column = next((name for name in ("username", "email") if f"user_{name}_once" in str(error)), None)
        if column is None:
            raise
        raise UsernameTaken(field=column) from error


def _staff_role(role: str) -> Role:
    if role not in set(Role) - {Role.PATIENT}:
        raise Invalid(field="role", issue=f"Must be one of {', '.join(STAFF)}.")
    return Role(role)
