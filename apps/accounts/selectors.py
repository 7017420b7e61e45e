"""Finding people and the sessions they work in."""

from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from apps.access.actor import Actor
from apps.access.roles import Role
from apps.accounts.models import Doctor, Session, TotpDevice, User
from apps.accounts.principal import Principal
from apps.common import clock

# One statement, by hand: every request pays for it.
_PRINCIPAL = """
SELECT u.id, u.username, u.role, s.id, s.last_seen_at, s.reauthenticated_at, s.enrollment_only
FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id
WHERE s.id = %s AND s.ended_at IS NULL AND s.expires_at > %s AND s.last_seen_at > %s AND u.is_active AND u.role <> %s
"""


def principal(session_id: UUID) -> Principal | None:
    """Who works in this session, if it is live and its owner is active staff."""
    now = clock.now()
    with connection.cursor() as cursor:
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


def has_second_factor(user_id: UUID) -> bool:
    """Whether a code is asked for when this person signs in."""
    return TotpDevice.objects.filter(pk=user_id, confirmed_at__isnull=False).exists()


def must_enrol(user: User) -> bool:
    """Whether this person has to set up a second factor before anything else: the role asks for one, or the password is short."""
    wanted = user.password_needs_mfa or user.role in settings.HIMS_MFA_REQUIRED_ROLES
    return wanted and not has_second_factor(user.pk)


def own_sessions(user_id: UUID) -> QuerySet[Session]:
    """The live sessions of this person, the latest used first."""
    now = clock.now()
    live = Session.objects.filter(user_id=user_id, ended_at=None, expires_at__gt=now)
    return live.filter(last_seen_at__gt=now - settings.API_SESSION_IDLE).order_by("-last_seen_at", "-pk")
