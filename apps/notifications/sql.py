"""The statement that stores a message and its copies, handwritten and prepared: one, however many recipients."""

from collections.abc import Collection
from uuid import UUID

from apps.common import prepared
from apps.common.sql import set_local
from apps.notifications.models import Message

_LARGE = 1_000  # above this a statement may take longer than others

# Copies are thin rows, each with a version-7 id of this moment; no user gets two. No row where the event had its message before.
_SEND = """
WITH recipient AS MATERIALIZED (
    SELECT u.id FROM unnest(%(ids)s::uuid[]) AS asked (id) JOIN accounts_user u USING (id) WHERE u.is_active
    UNION
    SELECT u.id FROM accounts_user u WHERE u.role = ANY(%(roles)s) AND u.is_active
), message AS (
    INSERT INTO notifications_message
        (id, type, title, message, priority, category, action_url, sent_by_id, event_id, part, created_at, recipient_count)
    SELECT %(id)s, %(type)s, %(title)s, %(message)s, %(priority)s, %(category)s, %(action_url)s, %(sent_by_id)s, %(event_id)s,
        %(part)s, %(created_at)s, (SELECT count(*) FROM recipient)
    ON CONFLICT DO NOTHING RETURNING id, created_at, recipient_count
), copies AS (
    INSERT INTO notifications_notification (id, message_id, user_id, created_at)
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send(%(ms)s) FROM 3) FROM 1 FOR 6),
                  52, 1), 53, 1), 'hex')::uuid, message.id, recipient.id, message.created_at
    FROM message CROSS JOIN recipient
)
SELECT recipient_count FROM message
"""
_COLUMNS = [
    "id", "type", "title", "message", "priority", "category", "action_url", "sent_by_id", "event_id", "part", "created_at",
]  # fmt: skip


def store(message: Message, *, ids: Collection[UUID], roles: Collection[str], ms: int) -> int | None:
    """Insert the message and a copy for each active user among `ids` or with one of the `roles`.

    `ms` is the time of the copies' ids, in milliseconds since 1970. Returns the number of copies; None where the message's event
    and part have a message already.
    """
    if roles or len(ids) > _LARGE:  # a hundred thousand took half a minute on a machine with nine others at work
        set_local("statement_timeout", "60s")  # until the commit, which checks the foreign keys
    values = {name: getattr(message, name) for name in _COLUMNS}
    values |= {"ids": list(ids), "roles": [str(role) for role in roles], "ms": ms}
    with prepared.cursor() as cursor:
        cursor.execute(_SEND, values)
        row = cursor.fetchone()
    return row[0] if row else None
