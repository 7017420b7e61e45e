"""Finds users and their sessions."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.access.actor import Actor
from apps.access.roles import Role
from apps.accounts import sql
from apps.accounts.api_keys import rules
from apps.accounts.api_keys.principal import ApiKeyPrincipal
from apps.accounts.authentication import tokens
from apps.accounts.authentication.principal import Principal
from apps.accounts.models import ApiKey, Doctor, PasswordLink, Session, TotpDevice, User
from apps.accounts.rights import Permission
from apps.common import clock


def principal(session_id: UUID, user_id: UUID) -> Principal | None:
    """Returns the user of this session, if it is live and belongs to this user, who is active staff."""
    now = clock.now()
    row = sql.principal(session_id, user_id, now=now, seen_after=now - settings.API_SESSION_IDLE)
    return Principal(*row) if row else None


def doctors(*, visible_to: Actor) -> QuerySet[Doctor]:
    """Returns the active doctors, by name."""
    return Doctor.objects.visible_to(visible_to).select_related("user").order_by("user__last_name", "user__first_name", "pk")


def former_doctors(*, visible_to: Actor) -> QuerySet[Doctor]:
    """Returns the doctors who were deactivated or have another role now, by name."""
    return Doctor.objects.former(visible_to).select_related("user").order_by("user__last_name", "user__first_name", "pk")


def doctors_named(rows: QuerySet[Doctor], text: str) -> QuerySet[Doctor]:
    """Returns the doctors whose name or specialty contains every word of the text."""
    for word in text.split():
        fits = Q(user__first_name__icontains=word) | Q(user__last_name__icontains=word) | Q(specialty__icontains=word)
        rows = rows.filter(fits)
    return rows


def staff_member(user_id: UUID) -> User | None:
    """Returns the active member of staff with this id."""
    return User.objects.filter(pk=user_id, is_active=True).exclude(role=Role.PATIENT).first()


def staff_member_for_update(user_id: UUID) -> User | None:
    """The same, with the row locked until the transaction ends."""
    return User.objects.select_for_update().filter(pk=user_id, is_active=True).exclude(role=Role.PATIENT).first()


def colleagues(*, visible_to: Actor, ids: Collection[UUID]) -> QuerySet[User]:
    """Returns these members of staff, past ones too, whose names appear on what they wrote. Empty for a user who sees no
    doctors."""
    people = User.objects.exclude(role=Role.PATIENT).filter(pk__in=ids)
    return people if visible_to.has_permission(Permission.DOCTOR_VIEW) else people.none()


@dataclass(frozen=True)
class ApiKeyLookup:
    """The owner of a key, and what decides whether it is still valid."""

    principal: ApiKeyPrincipal
    state: rules.KeyState


def api_key_lookup(text: str) -> ApiKeyLookup | None:
    """Returns the owner of this key, also of an ended key; None if the key never existed."""
    row = sql.api_key(tokens.fingerprint(text))
    if row is None:
        return None
    user_id, username, role, key_id, prefix, scopes, cidrs, last_used_at, *state = row
    principal = ApiKeyPrincipal(
        id=user_id,
        username=username,
        role=role,
        key_id=key_id,
        prefix=prefix,
        scopes=frozenset(scopes),
        allowed_cidrs=tuple(cidrs),
        last_used_at=last_used_at,
    )
    return ApiKeyLookup(principal, rules.KeyState(*state))


def api_keys(*, visible_to: Actor) -> QuerySet[ApiKey]:
    """Returns the own keys, for an administrator all; newest first, ended ones included."""
    return ApiKey.objects.visible_to(visible_to).select_related("user").order_by("-created_at", "-pk")


def live_keys(user_id: UUID) -> QuerySet[ApiKey]:
    """Returns the API keys that can act for this user now, by name."""
    return ApiKey.objects.live(clock.now()).filter(user_id=user_id).order_by("name", "pk")


def staff(*, visible_to: Actor) -> QuerySet[User]:
    """Returns the staff, also those who left, by name."""
    rows = User.objects.visible_to(visible_to).exclude(role=Role.PATIENT)
    return rows.order_by("last_name", "first_name", "pk")


def staff_named(rows: QuerySet[User], text: str) -> QuerySet[User]:
    """Returns the staff whose name, username or e-mail contains every word of the text."""
    for word in text.split():
        fits = Q(username__icontains=word) | Q(email__icontains=word)
        rows = rows.filter(fits | Q(first_name__icontains=word) | Q(last_name__icontains=word))
    return rows


def doctor_profile(user_id: UUID) -> Doctor | None:
    """Returns the doctor profile of a member of staff."""
    return Doctor.objects.filter(pk=user_id).first()


def with_live_keys(rows: QuerySet[User]) -> QuerySet[User]:
    """Annotates the users with `live_keys`: the number of valid API keys."""
    theirs = ApiKey.objects.live(clock.now()).filter(user=OuterRef("pk")).order_by()
    counted = theirs.values("user").annotate(number=Count("pk")).values("number")
    return rows.annotate(live_keys=Coalesce(Subquery(counted), 0))


def has_second_factor(user_id: UUID) -> bool:
    """Returns whether sign-in requires a code from this user."""
    return TotpDevice.objects.filter(pk=user_id, confirmed_at__isnull=False).exists()


def must_enrol(user: User) -> bool:
    """Returns whether this user must set up a second factor first: the role requires one, or the password is short."""
    wanted = user.password_needs_mfa or user.role in settings.HIMS_MFA_REQUIRED_ROLES
    return wanted and not has_second_factor(user.pk)


def own_sessions(user_id: UUID) -> QuerySet[Session]:
    """Returns the live sessions of this user, the most recently used first."""
    return Session.objects.filter(live_session(), user_id=user_id).order_by("-last_seen_at", "-pk")


def live_session() -> Q:
    """Returns a filter: the sessions whose tokens still count. The others ended, expired, or were unused for too long."""
    now = clock.now()
    return Q(ended_at=None, expires_at__gt=now, last_seen_at__gt=now - settings.API_SESSION_IDLE)


def without_second_factor(*, visible_to: Actor) -> QuerySet[User]:
    """Returns the active staff who must set up two-step sign-in and have not done so, by name (see `must_enrol`)."""
    device = TotpDevice.objects.filter(pk=OuterRef("pk"), confirmed_at__isnull=False)
    must = Q(password_needs_mfa=True) | Q(role__in=settings.HIMS_MFA_REQUIRED_ROLES)
    return staff(visible_to=visible_to).filter(must, ~Exists(device), is_active=True)


def unused_invitations(*, visible_to: Actor) -> QuerySet[User]:
    """Returns the active staff who were invited and have never signed in, by name."""
    invited = PasswordLink.objects.filter(user=OuterRef("pk"), purpose=PasswordLink.Purpose.INVITATION)
    return staff(visible_to=visible_to).filter(Exists(invited), is_active=True, last_login=None)


def keys_ending(*, visible_to: Actor, within: timedelta) -> QuerySet[ApiKey]:
    """Returns the valid API keys that end within the period, the first to end first."""
    now = clock.now()
    rows = ApiKey.objects.visible_to(visible_to).live(now).filter(expires_at__lte=now + within)
    return rows.select_related("user").order_by("expires_at", "pk")
