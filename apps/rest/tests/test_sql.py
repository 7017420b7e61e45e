"""The statements of the HTTP kit, and the plans that PostgreSQL makes for them."""

from datetime import timedelta
from hashlib import sha256

import pytest
from django.db import connection

from apps.common import clock
from apps.rest import sql
from apps.rest.models import KeptReply

pytestmark = pytest.mark.django_db


def sequential_scans() -> int:
    """How often this transaction read all the stored replies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'rest_keptreply'")
        return int(cursor.fetchone()[0])


def test_a_stored_reply_is_found_by_its_key_also_by_a_plan_from_when_there_were_few() -> None:
    now = clock.now()
    digest = sha256(b"a key").digest()
    KeptReply.objects.create(
        name=digest, asked=digest, request_id="req", status=201, sealed=b"reply", kept_at=now, expires_at=now + timedelta(days=1)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE rest_keptreply")  # one row on one page: without a rule PostgreSQL reads the page
    before = sequential_scans()
    for _ in range(10):  # from the sixth on, PostgreSQL uses one plan for all keys
        locked, stored = sql.begin(digest, now=now)
    assert (locked, stored is not None and bytes(stored[3])) == (True, b"reply")
    assert sequential_scans() == before
