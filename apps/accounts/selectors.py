"""Finding people and the sessions they work in."""

from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.access.roles import Role
from apps.accounts.models import Doctor, User
from apps.accounts.principal import Principal
from apps.common import clock, prepared

# One statement, by hand and prepared: every request pays for it.
_PRINCIPAL = """
SELECT u.id, u.username, u.role, s.id, s.last_seen_at
FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id
WHERE s.id = %s AND s.ended_at IS NULL AND s.expires_at > %s AND s.last_seen_at > %s AND u.is_active AND u.role <> %s
"""


def principal(session_id: UUID) -> Principal | None:
    """Who works in this session, if it is live and its owner is active staff."""
    now = clock.now()
    with prepared.cursor() as cursor:
        cursor.execute(_PRINCIPAL, [session_id, now, now - settings.API_SESSION_IDLE, Role.PATIENT.value])
        row = cursor.fetchone()
    return Principal(*row) if row else None


def doctors(*, visible_to: Actor) -> QuerySet[Doctor]:
    """The active doctors, by name."""
    return Doctor.objects.visible_to(visible_to).select_related("user").order_by("user__last_name", "user__first_name", "pk")


def doctors_named(rows: QuerySet[Doctor], text: str) -> QuerySet[Doctor]:
    """Those in whose name or specialty every word of the text stands."""
    for word in text.split():
        fits = Q(user__first_name__icontains=word) | Q(user__last_name__icontains=word) | Q(specialty__icontains=word)
        rows = rows.filter(fits)
    return rows


def staff_member(user_id: UUID) -> User | None:
    """The active member of staff with this id."""
    return User.objects.filter(pk=user_id, is_active=True).exclude(role=Role.PATIENT).first()


def staff_locked(user_id: UUID) -> User | None:
    """The same, the row held until the transaction ends."""
    return User.objects.select_for_update().filter(pk=user_id, is_active=True).exclude(role=Role.PATIENT).first()


def colleagues(*, visible_to: Actor, ids: Collection[UUID]) -> QuerySet[User]:
    """Those of these members of staff, past ones too, whose names stand on what they wrote. Nobody for whom sees no doctors."""
    people = User.objects.exclude(role=Role.PATIENT).filter(pk__in=ids)
    return people if visible_to.may(Permission.DOCTOR_VIEW) else people.none()
