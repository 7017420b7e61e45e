"""How long records of sign-ins are retained."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session as BrowserSession
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import ApiKeySecret, FailureCount, KnownPlace, PasswordLink, RecoveryCode, Session
from apps.accounts.services.lockout import PLACE_KNOWN_FOR
from apps.common.retention import RetentionRule, register

_KEEP_PLACES = timedelta(days=365)  # longer than they are valid, to investigate a complaint


def _keep_sessions() -> timedelta:
    return settings.HIMS_KEEP_SESSIONS


def _ended_sessions(before: datetime) -> QuerySet[Session]:
    """Returns sessions that ended or expired; their refresh tokens are deleted with them."""
    return Session.objects.filter(Q(ended_at__lt=before) | Q(expires_at__lt=before))


def _unused_places(before: datetime) -> QuerySet[KnownPlace]:
    """Returns all but the last place of each account: a used account is notified of a new place, however long it was idle."""
    later = KnownPlace.objects.filter(user=OuterRef("user"), last_used_at__gt=OuterRef("last_used_at"))
    return KnownPlace.objects.filter(Exists(later), last_used_at__lt=before)


register(
    RetentionRule("api_key_secrets", _keep_sessions, lambda before: ApiKeySecret.objects.filter(ends_at__lt=before)),
    RetentionRule(
        "browser_sessions", lambda: timedelta(days=1), lambda before: BrowserSession.objects.filter(expire_date__lt=before)
    ),
    RetentionRule(
        "failure_counts", lambda: PLACE_KNOWN_FOR, lambda before: FailureCount.objects.filter(user=None, last_at__lt=before)
    ),
    RetentionRule("known_places", lambda: _KEEP_PLACES, _unused_places),
    RetentionRule("password_links", lambda: PLACE_KNOWN_FOR, lambda before: PasswordLink.objects.filter(expires_at__lt=before)),
    RetentionRule("recovery_codes", _keep_sessions, lambda before: RecoveryCode.objects.filter(used_at__lt=before)),
    RetentionRule("sessions", _keep_sessions, _ended_sessions),
)
