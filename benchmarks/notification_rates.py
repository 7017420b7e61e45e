"""Tells a crowd something, three ways in turn: the service, COPY, bulk_create. Works in the database of DATABASE_URL.

Prints JSON: rows a second by way, a list of rounds each; and the milliseconds of newest fifty and unread counts.
"""

import json
import sys
import time
from collections.abc import Callable
from uuid import UUID

import django

django.setup()

from django.db import connection, transaction  # noqa: E402  (models want settings first)

from apps.access.actor import SYSTEM  # noqa: E402
from apps.accounts.models import User  # noqa: E402
from apps.common import clock  # noqa: E402
from apps.common.ids import new_id  # noqa: E402
from apps.notifications import selectors, services  # noqa: E402
from apps.notifications.models import Message, Notification  # noqa: E402
from apps.notifications.services import Notice  # noqa: E402

NOTICE = Notice(title="System Maintenance", message="From 2 to 4 AM")
READS = 300


def by_service(people: list[UUID]) -> None:
    """Does what HIMS does: message, copies, event and audit row."""
    services.notify(by=SYSTEM, notice=NOTICE, ids=people)


@transaction.atomic
def by_copy(people: list[UUID]) -> None:
    """The floor: the same rows and no others, as fast as PostgreSQL takes them."""
    message, at = Message.objects.create(title=NOTICE.title, message=NOTICE.message), clock.now()
    columns = "COPY notifications_notification (id, message_id, user_id, created_at) FROM STDIN"
    lines = "".join(f"{new_id()}\t{message.pk}\t{person}\t{at.isoformat()}\n" for person in people)
    with connection.cursor() as cursor, cursor.cursor.copy(columns) as copy:
        copy.write(lines)


@transaction.atomic
def by_bulk_create(people: list[UUID]) -> None:
    """What Django offers."""
    message = Message.objects.create(title=NOTICE.title, message=NOTICE.message)
    Notification.objects.bulk_create([Notification(message=message, user_id=person) for person in people], batch_size=5_000)


METHODS: dict[str, Callable[[list[UUID]], None]] = {"service": by_service, "copy": by_copy, "bulk_create": by_bulk_create}


def speeds(people: list[UUID], rounds: int) -> dict[str, list[float]]:
    """Rows a second, the ways taking turns."""
    rates: dict[str, list[float]] = {way: [] for way in METHODS}
    for number in range(rounds):
        for way in list(METHODS) if number % 2 else reversed(METHODS):
            began = time.perf_counter()
            METHODS[way](people)
            rates[way].append(len(people) / (time.perf_counter() - began))
    return rates


def waits(readers: list[User]) -> dict[str, list[float]]:
    """Milliseconds of the statements behind a person's list."""
    queries: dict[str, Callable[[User], object]] = {
        "newest": lambda user: list(selectors.inbox(visible_to=user)[:50]),
        "unread": lambda user: selectors.unread_count(visible_to=user),
    }
    rates: dict[str, list[float]] = {name: [] for name in queries}
    for number in range(READS):
        for name, ask in queries.items():
            began = time.perf_counter()
            ask(readers[number % len(readers)])
            rates[name].append((time.perf_counter() - began) * 1000)
    return rates


def main(rounds: int) -> None:
    readers = list(User.objects.filter(username__startswith="reader"))
    people = list(User.objects.filter(username__startswith="crowd").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    json.dump({"waits": waits(readers), "speeds": speeds(people, rounds)}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
