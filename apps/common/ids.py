"""Ids: UUID version 7 (RFC 9562), made in Python, so that rows sort by birth on any PostgreSQL."""

import uuid

from uuid_utils.compat import uuid7 as _uuid7


def new_id() -> uuid.UUID:
    """A fresh version-7 UUID."""
    return _uuid7()
