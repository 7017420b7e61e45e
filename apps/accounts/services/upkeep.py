"""Throwing away what is no longer needed of sign-ins."""

from datetime import timedelta

from django.db import transaction

from apps.accounts.models import FailureCount, KnownPlace, PasswordLink
from apps.accounts.services.throttle import KNOWN_FOR
from apps.common import clock

_PLACES_KEPT = timedelta(days=365)  # longer than they count: whether an account was ever used decides who is told of a new place


@transaction.atomic
def forget_old() -> int:
    """Names that nobody has, links long expired, places long unused. An account's own failures stay. Answers how many went."""
    now = clock.now()
    old = (
        FailureCount.objects.filter(user=None, last_at__lt=now - KNOWN_FOR),
        PasswordLink.objects.filter(expires_at__lt=now - KNOWN_FOR),
        KnownPlace.objects.filter(last_used_at__lt=now - _PLACES_KEPT),
    )
    return sum(rows.delete()[0] for rows in old)
