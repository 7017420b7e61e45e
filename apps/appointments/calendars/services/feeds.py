"""The secret in the address of a doctor's calendar: created, revoked, and checked when a program fetches the calendar."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from apps.access.actor import Actor
from apps.access.roles import Role
from apps.appointments.events import CalendarFeedMade, CalendarFeedRevoked
from apps.appointments.models import CalendarFeed
from apps.appointments.scheduling.services import schedules
from apps.appointments.services import transitions
from apps.common import clock
from apps.common.errors import Conflict
from apps.events.services import emit

_BYTES = 32  # 256 random bits
_DUMMY_DIGEST = hashlib.sha256(b"nobody's").digest()
_TO_A_MINUTE = timedelta(minutes=1)


class NoFeed(Conflict):
    message = "This doctor's calendar has no address to revoke."


@dataclass(frozen=True)
class MadeFeed:
    """A feed and its secret. The database contains only the secret's digest."""

    feed: CalendarFeed
    secret: str


@transaction.atomic
def make_feed(*, by: Actor, doctor_id: UUID) -> MadeFeed:
    """Gives the doctor's calendar a new address and revokes the previous one. Raises NotFound, Forbidden."""
    doctor = schedules.doctor_to_plan(by, doctor_id)
    transitions.lock_places(doctor.pk)  # of two simultaneous calls, the later one's address stays
    _revoke(by, doctor.pk)
    secret = secrets.token_urlsafe(_BYTES)
    feed = CalendarFeed.objects.create(doctor_id=doctor.pk, secret_hash=_digest(secret), made_by_id=by.id)
    emit(CalendarFeedMade(doctor_id=doctor.pk, feed_id=feed.pk), by=by)
    return MadeFeed(feed, secret)


@transaction.atomic
def revoke_feed(*, by: Actor, doctor_id: UUID) -> CalendarFeed:
    """Revokes the address of the doctor's calendar. Raises NotFound, Forbidden, NoFeed."""
    doctor = schedules.doctor_to_plan(by, doctor_id)
    feed = _revoke(by, doctor.pk)
    if feed is None:
        raise NoFeed
    emit(CalendarFeedRevoked(doctor_id=doctor.pk, feed_id=feed.pk), by=by)
    return feed


@transaction.atomic
def close_feed(*, by: Actor, doctor_id: UUID) -> None:
    """Revokes the calendar of a doctor who left the clinic. A second call does nothing."""
    feed = _revoke(by, doctor_id)
    if feed:
        emit(CalendarFeedRevoked(doctor_id=doctor_id, feed_id=feed.pk), by=by)


def feed_of_secret(doctor_id: UUID | None, secret: str) -> CalendarFeed | None:
    """Returns the feed with this secret, and its doctor. Returns None for another secret, a revoked one, or a doctor who left or
    does not exist.

    The comparison takes constant time and also runs without a feed, so that its duration does not reveal which doctors exist.
    """
    feed = (
        CalendarFeed.objects.filter(doctor=doctor_id, revoked_at=None, doctor__is_active=True, doctor__role=Role.DOCTOR)
        .select_related("doctor")
        .first()
    )
    fits = hmac.compare_digest(_digest(secret), bytes(feed.secret_hash) if feed else _DUMMY_DIGEST)
    return feed if feed and fits else None


def record_fetch(feed: CalendarFeed) -> None:
    """Records when the calendar was fetched, exact to a minute."""
    now = clock.now()
    if feed.last_fetched_at is None or now - feed.last_fetched_at >= _TO_A_MINUTE:
        CalendarFeed.objects.filter(pk=feed.pk).update(last_fetched_at=now)


def _revoke(by: Actor, doctor_id: UUID) -> CalendarFeed | None:
    feed = CalendarFeed.objects.select_for_update().filter(doctor=doctor_id, revoked_at=None).first()
    if feed:
        feed.amend(revoked_at=clock.now(), revoked_by_id=by.id)
    return feed


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
