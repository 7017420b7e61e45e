"""Ids: UUID version 7 (RFC 9562), made in Python, so that rows sort by creation on any PostgreSQL."""

import uuid

from uuid_utils.compat import uuid7 as _uuid7


def new_id() -> uuid.UUID:
    """Returns a new version-7 UUID."""
    return _uuid7()
