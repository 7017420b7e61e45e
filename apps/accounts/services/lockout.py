"""Counts failed sign-ins by account and by address (gap G12 of the contract).

Callers from a place unknown to the account wait longer and longer after ten failures within a quarter of an hour, and must reset
the password after a hundred in a row. A place this account was used from within thirty days is known, so an attacker cannot lock
the owner out. Counted in PostgreSQL; a name without an account is counted like an account.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.crypto import salted_hmac

from apps.access.actor import Actor
from apps.accounts import rules, selectors
from apps.accounts.events import SignedInFromNewPlace
from apps.accounts.models import FailureCount, KnownPlace, User
from apps.common import clock
from apps.common.errors import RateLimited, Unauthenticated
from apps.events.services import emit
from apps.rest import limits, sign_in
from apps.rest.limits import RateClass

PLACE_KNOWN_FOR = timedelta(days=30)
_WINDOW = timedelta(minutes=15)
_FAILURES_PER_ADDRESS = 30  # a minute
_REQUESTS_PER_ADDRESS = 30  # a minute, of each kind
_REQUESTS_PER_NAME = 10  # a minute, from all addresses together
NO_USER_ID = UUID(int=0)


class PasswordResetRequired(Unauthenticated):
    """Raised for any name, correct password or wrong, with and without an account."""

    message = (
        "Too many failed attempts in a row. Reset the password, or sign in from a place where this account was used recently."
    )


@dataclass(frozen=True)
class SignInPlace:
    """Where a sign-in comes from: the address, and in a browser the mark of its cookie."""

    ip: str | None = None
    device: str = ""

    @property
    def network(self) -> str | None:
        """Returns the address, or for IPv6 the /64 of one subscriber."""
        if self.ip is None or ip_address(self.ip).version == 4:
            return self.ip
        return str(ip_network(f"{self.ip}/64", strict=False).network_address)

    @property
    def marks(self) -> list[str]:
        """Returns the marks under which the place is stored."""
        marks = [f"net:{self.network}"] if self.ip else []
        return [*marks, f"device:{hashlib.sha256(self.device.encode()).hexdigest()}"] if self.device else marks


@dataclass(frozen=True)
class LoginAttempt:
    """One attempt at one account, or at a name without an account."""

    key: str
    user: User | None
    place: SignInPlace
    is_known: bool


def check_lockout(user: User | None, name: str, place: SignInPlace) -> LoginAttempt:
    """Checks whether the password may be tried. Raises RateLimited, PasswordResetRequired. Equal work with and without an
    account."""
    attempt = login_attempt(user, place, name)
    failures = FailureCount.objects.filter(pk=attempt.key).first()
    if failures is not None and not attempt.is_known:
        if failures.in_a_row >= _scaled(rules.FAILURES_UNTIL_RESET):
            raise PasswordResetRequired(issue="password_reset_required")
        _check_pause(failures)
    if place.ip is not None:
        verdict = limits.hit(RateClass.AUTH, _address_key(place), per_minute=_FAILURES_PER_ADDRESS)
        if not verdict.allowed:
            raise RateLimited("Too many failed attempts from this address", retry_after=verdict.retry_after)
    return attempt


def check_request_rate(purpose: str, place: SignInPlace, name: str = "") -> None:
    """Counts a request at a public endpoint that checks no password: requesting a link, using one.

    An address has thirty a minute; a name has ten from all addresses together, with and without an account. Raises RateLimited.
    """
    budgets = [(f"{purpose}:{place.network}", _REQUESTS_PER_ADDRESS)] if place.ip else []
    budgets += [(f"{purpose}:{_account_key(None, name)}", _REQUESTS_PER_NAME)] if name else []
    for budget, per_minute in budgets:
        verdict = limits.hit(RateClass.AUTH, budget, per_minute=per_minute)
        if not verdict.allowed:
            raise RateLimited("Too many requests of this kind. Wait, then try again.", retry_after=verdict.retry_after)


def login_attempt(user: User | None, place: SignInPlace, name: str = "") -> LoginAttempt:
    """Returns the attempt before any decision."""
    return LoginAttempt(_account_key(user, name), user, place, is_known_place(user, place))


def record_failure(attempt: LoginAttempt) -> None:
    """Records a wrong password or code. Counts for the account, and against a known place that keeps failing."""
    now = clock.now()
    with transaction.atomic():
        count = FailureCount(key=attempt.key, user=attempt.user, last_at=now)
        # Created or locked in one statement: a concurrent sign-in or purge waits.
        FailureCount.objects.bulk_create([count], update_conflicts=True, unique_fields=["key"], update_fields=["last_at"])
        row = FailureCount.objects.get(pk=attempt.key)
        row.recent = [*_within_window(row, now)[-_scaled(rules.ALLOWED_FAILURES) - 10 :], now]
        row.in_a_row += 1
        row.save(update_fields=["recent", "in_a_row"])
        _places(attempt.user, attempt.place).update(failures=F("failures") + 1)


def clear_failures(attempt: LoginAttempt) -> None:
    """Clears the failures of the address after a correct password. (`record_failure` counts a wrong code after it.)"""
    if attempt.place.ip is not None:
        limits.refund(RateClass.AUTH, _address_key(attempt.place))


def record_login(*, user: User, place: SignInPlace, session_id: UUID | None) -> None:
    """Records a completed sign-in: clears the failures, remembers the place, and emits an event for a new one."""
    now = clock.now()
    reset_lockout(user)
    networks = [mark for mark in place.marks if mark.startswith("net:")]
    mine = KnownPlace.objects.filter(user=user)
    recent = mine.filter(mark__in=networks, last_used_at__gt=now - PLACE_KNOWN_FOR)
    if networks and not recent.exists() and mine.exists():
        emit(SignedInFromNewPlace(user_id=user.pk, session_id=session_id), by=user)
    KnownPlace.objects.bulk_create(
        [KnownPlace(user=user, mark=mark, last_used_at=now) for mark in place.marks],
        update_conflicts=True,
        unique_fields=["user", "mark"],
        update_fields=["last_used_at", "failures"],
    )


def reset_lockout(user: User) -> None:
    """Clears all failures of the account."""
    FailureCount.objects.filter(pk=_account_key(user, "")).update(in_a_row=0, recent=[])


def locked_out(*, visible_to: Actor) -> QuerySet[User]:
    """Returns the active staff who failed to sign in so often that a new place must reset the password first, by name."""
    most = _scaled(rules.FAILURES_UNTIL_RESET)
    failures = FailureCount.objects.filter(user=OuterRef("pk"), in_a_row__gte=most)
    return selectors.staff(visible_to=visible_to).filter(Exists(failures), is_active=True)


def is_known_place(user: User | None, place: SignInPlace) -> bool:
    """Returns whether this account was used from there within thirty days, and the place has not failed a hundred times since."""
    recent = _places(user, place).filter(last_used_at__gt=clock.now() - PLACE_KNOWN_FOR)
    return recent.filter(failures__lt=_scaled(rules.FAILURES_UNTIL_RESET)).exists()


def _places(user: User | None, place: SignInPlace) -> QuerySet[KnownPlace]:
    return KnownPlace.objects.filter(user_id=user.pk if user else NO_USER_ID, mark__in=place.marks)


def _within_window(failures: FailureCount, now: datetime) -> list[datetime]:
    return [at for at in failures.recent if at > now - _WINDOW]


def _check_pause(failures: FailureCount) -> None:
    now = clock.now()
    pause = rules.pause_after(len(_within_window(failures, now)), allowed=_scaled(rules.ALLOWED_FAILURES))
    left = pause - (now - failures.last_at).total_seconds()
    if left > 0:
        raise RateLimited("Too many failed attempts", retry_after=max(1, round(left + 0.5)))


def _account_key(user: User | None, name: str) -> str:
    """Counts by account if there is one: a name can be written in several ways."""
    subject = f"user:{user.pk}" if user else f"name:{sign_in.folded(name)}"
    return salted_hmac("apps.accounts.failures", subject, algorithm="sha256").hexdigest()


def _address_key(place: SignInPlace) -> str:
    return f"failures:{place.network}"


def _scaled(count: int) -> int:
    return max(1, round(count * float(settings.HIMS_RATE_LIMIT_SCALE)))
