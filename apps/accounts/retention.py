"""How long what is left of sign-ins is kept."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session as BrowserSession
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import ApiKeySecret, FailureCount, KnownPlace, PasswordLink, RecoveryCode, Session
from apps.accounts.services.throttle import KNOWN_FOR
from apps.audit.retention import Rule, register

_PLACES_KEPT = timedelta(days=365)  # longer than they count, to look into a complaint


def _keep_sessions() -> timedelta:
    return settings.HIMS_KEEP_SESSIONS


def _over(before: datetime) -> QuerySet:
    """Sessions that ended or expired; their refresh tokens go with them."""
    return Session.objects.filter(Q(ended_at__lt=before) | Q(expires_at__lt=before))


def _left_places(before: datetime) -> QuerySet:
    """All but the last place of each account: an account that was ever used is told of a new place, however long it lay idle."""
    later = KnownPlace.objects.filter(user=OuterRef("user"), last_used_at__gt=OuterRef("last_used_at"))
    return KnownPlace.objects.filter(Exists(later), last_used_at__lt=before)


register(
    Rule("api_key_secrets", _keep_sessions, lambda before: ApiKeySecret.objects.filter(ends_at__lt=before)),
    Rule("browser_sessions", lambda: timedelta(days=1), lambda before: BrowserSession.objects.filter(expire_date__lt=before)),
    Rule("failure_counts", lambda: KNOWN_FOR, lambda before: FailureCount.objects.filter(user=None, last_at__lt=before)),
    Rule("known_places", lambda: _PLACES_KEPT, _left_places),
    Rule("password_links", lambda: KNOWN_FOR, lambda before: PasswordLink.objects.filter(expires_at__lt=before)),
    Rule("recovery_codes", _keep_sessions, lambda before: RecoveryCode.objects.filter(used_at__lt=before)),
    Rule("sessions", _keep_sessions, _over),
)
