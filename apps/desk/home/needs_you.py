"""What waits for a manager or a system administrator. Each line is shown to users who may open its page."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.accounts.models import ApiKey, User
from apps.accounts.rights import Permission as Accounts
from apps.accounts.services import lockout
from apps.common import clinic_times
from apps.desk.appointments import labels
from apps.desk.events import jobs
from apps.desk.events import words as job_words
from apps.desk.home.base import Task
from apps.desk.kit.links import openable
from apps.desk.kit.site import can_open
from apps.events import scheduled_jobs
from apps.events import selectors as events
from apps.patients import selectors as patients
from apps.patients.confidentiality import emergency_access

NAMES = 3  # named in a line; the others are counted
KEYS_END_WITHIN = timedelta(days=14)


def of_the_clinic(request: HttpRequest) -> Iterator[Task]:
    """Yields what a manager decides: emergency access, possible duplicates. Two queries."""
    by = cast("Actor", request.user)
    glass = reverse("admin:patients_breakglass_changelist")
    pairs = reverse("admin:patients_duplicatecandidate_changelist")
    opens = openable(request, [glass, pairs])
    if glass in opens:
        yield from _emergency_access(by, f"{glass}?review=waiting")
    if pairs in opens:
        yield from _duplicates(by, pairs)


def of_the_system(request: HttpRequest) -> Iterator[Task]:
    """Yields what the system administrator sees to: background jobs, failed events, accounts, API keys. Six queries."""
    user: Any = request.user
    by = cast("Actor", user)
    if can_open(user, jobs.NEED):
        yield from _jobs()
    if can_open(user, Accounts.STAFF_VIEW):
        yield from _accounts(by)
    if can_open(user, Accounts.KEY_KEEP_ALL):
        yield from _keys(by)


def _jobs() -> Iterator[Task]:
    """Yields the scheduled jobs that failed or did not run, and the deliveries that failed. Two queries."""
    url, troubled = reverse("admin:jobs"), scheduled_jobs.in_trouble()
    failing = [job for job in troubled if job.is_failing]
    late = [job for job in troubled if not job.is_failing]
    if failing:
        title = ngettext("%(number)s background job failed", "%(number)s background jobs failed", len(failing))
        yield Task(title % {"number": len(failing)}, url, job_words.job(failing[0].name)[0], is_late=True)
    if late:
        title = ngettext("%(number)s background job is late", "%(number)s background jobs are late", len(late))
        yield Task(title % {"number": len(late)}, url, job_words.job(late[0].name)[0], is_late=True)
    if failed := events.count_failed():
        title = ngettext("%(number)s event failed", "%(number)s events failed", failed)
        yield Task(title % {"number": failed}, url, gettext("Read the reason, then try again"), is_late=True)


def _emergency_access(by: Actor, url: str) -> Iterator[Task]:
    number, since = emergency_access.to_review(by)
    if since is not None:
        words = ngettext("Review %(number)s emergency access", "Review %(number)s emergency accesses", number) % {
            "number": number
        }
        yield Task(words, url, gettext("Since %(day)s") % {"day": clinic_times.day(since)}, is_late=True)


def _duplicates(by: Actor, url: str) -> Iterator[Task]:
    number = patients.duplicate_candidate_count(by)
    if number > patients.COUNTED_UP_TO:
        yield Task(gettext("More than %(number)s possible duplicates") % {"number": patients.COUNTED_UP_TO}, url)
    elif number:
        words = ngettext("%(number)s possible duplicate", "%(number)s possible duplicates", number)
        yield Task(words % {"number": number}, url, gettext("One person or two?"))


def _accounts(by: Actor) -> Iterator[Task]:
    """Yields the accounts that need help, with the first names."""
    locked = list(lockout.locked_out(visible_to=by))
    words = ngettext("%(number)s account is locked", "%(number)s accounts are locked", len(locked))
    yield from _people(locked, words, is_late=True)
    open_ = list(accounts.without_second_factor(visible_to=by))
    words = ngettext("%(number)s account without two-step sign-in", "%(number)s accounts without two-step sign-in", len(open_))
    yield from _people(open_, words)
    invited = list(accounts.unused_invitations(visible_to=by))
    words = ngettext("%(number)s invitation not used yet", "%(number)s invitations not used yet", len(invited))
    yield from _people(invited, words)


def _people(members: Sequence[User], words: str, *, is_late: bool = False) -> Iterator[Task]:
    """Yields a line with the first names, if there are any. The line of one person leads to their page."""
    if not members:
        return
    names, others = ", ".join(member.full_name for member in members[:NAMES]), len(members) - NAMES
    if others > 0:
        names = gettext("%(names)s and %(others)s more") % {"names": names, "others": others}
    page = reverse("admin:accounts_user_changelist")
    if len(members) == 1:
        page = reverse("admin:accounts_user_change", args=[members[0].pk])
    yield Task(words % {"number": len(members)}, page, names, is_late=is_late)


def _keys(by: Actor) -> Iterator[Task]:
    """Yields the API keys that end soon, in one line."""
    keys: list[ApiKey] = list(accounts.keys_ending(visible_to=by, within=KEYS_END_WITHIN))
    if keys and keys[0].expires_at is not None:
        words = ngettext("%(number)s API key ends soon", "%(number)s API keys end soon", len(keys)) % {"number": len(keys)}
        note = gettext("First: %(name)s, %(when)s") % {"name": keys[0].name, "when": labels.short_moment(keys[0].expires_at)}
        yield Task(words, reverse("admin:accounts_apikey_changelist"), note)
