"""Hiring, changing and deactivating the people who work here."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from stdnum import luhn

from apps.access.actor import Actor
from apps.access.roles import STAFF, Role
from apps.accounts.events import StaffChanged, StaffDeactivated, StaffHired, StaffReactivated
from apps.accounts.models import Doctor, Session, User
from apps.accounts.services.closing import end_everywhere
from apps.accounts.services.passwords import refuse_weak
from apps.common.errors import Conflict, Invalid, NotFound
from apps.common.ids import new_id
from apps.events.services import emit

_NPI = re.compile(r"[12]\d{9}", re.ASCII)
_TAXONOMY = re.compile(r"[0-9A-Z]{9}X")


class UsernameTaken(Conflict):
    message = "Somebody already signs in with this username or e-mail."


class NpiTaken(Conflict):
    message = "Another doctor already has this National Provider Identifier."


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
        refuse_weak(staff.password, user)
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
        end_everywhere(by=by, user=user, reason=Session.End.ROLE_CHANGED)
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
def deactivate(*, by: Actor, user_id: UUID) -> User:
    """Close the account at once: the next request with any of its tokens is refused. Raises AlreadyDeactivated."""
    user = _staff_locked(user_id)
    if user.pk == by.id:
        raise Conflict("You cannot deactivate yourself.")
    if not user.amend(is_active=False):
        raise AlreadyDeactivated
    end_everywhere(by=by, user=user, reason=Session.End.DEACTIVATED)
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


def _staff_role(role: str) -> Role:
    if role not in set(Role) - {Role.PATIENT}:
        raise Invalid(field="role", issue=f"Must be one of {', '.join(STAFF)}.")
    return Role(role)


def _staff_locked(user_id: UUID) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such member of staff.")
    return user
