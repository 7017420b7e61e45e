"""Decides whether a stored reply may be shown again to the caller who got it: not if it contained a secret, and not if the caller
has since lost the access that it needed. In doubt it is withheld.

Only higher apps know whose records an id names. They register a function that returns whether any of some ids is closed to a
caller:

    replays.register_closed_check(lambda by, ids: …)
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.http import HttpResponse
from rest_framework.serializers import ListField

from apps.rest import disclosure
from apps.rest.serializers import OnceField

_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

ClosedCheck = Callable[[Any, Collection[UUID]], bool]
_closed_checks: list[ClosedCheck] = []


@dataclass(frozen=True)
class Reply:
    """A stored reply. `authority` is what the caller had when it was made: the role, an API key's scopes, HIMS_ADMIN_CLINICAL."""

    headers: Mapping[str, str]
    body: bytes
    authority: Mapping[str, Any]
    is_secret: bool


def register_closed_check(check: ClosedCheck) -> None:
    """Registers a function that returns whether any record among the ids is closed to the caller."""
    _closed_checks.append(check)


def pack(view: Any, response: HttpResponse) -> bytes:
    """Returns the reply as bytes. Of a reply with a secret, they record only that fact."""
    secret = response.status_code < 300 and holds_secret(view.endpoint.response)
    head = {"headers": {} if secret else dict(response.items()), "authority": _authority(view.by), "secret": secret}
    return orjson.dumps(head) + b"\n" + (b"" if secret else response.content)


def unpack(raw: bytes) -> Reply:
    """Returns the packed reply. One of an earlier release, without `authority`, counts as a secret."""
    head, _, body = raw.partition(b"\n")
    known = orjson.loads(head)
    if "authority" not in known:
        return Reply(headers={}, body=b"", authority={}, is_secret=True)
    return Reply(headers=known["headers"], body=body, authority=known["authority"], is_secret=known["secret"])


def withheld_reason(view: Any, reply: Reply) -> str:
    """Returns why the reply is not shown again, for the audit log; empty if it is shown."""
    if reply.is_secret:
        return "secret"
    before, now = reply.authority, _authority(view.by)
    if before["role"] != now["role"] or (before["admin_clinical"] and not now["admin_clinical"]):
        return "role"
    if not set(before["scopes"]) <= set(now["scopes"]):
        return "scopes"
    ids = {UUID(match.decode()) for match in _UUID.findall(view.request.path_info.lower().encode() + b"\n" + reply.body)}
    return "closed" if ids and any(is_closed(view.by, ids) for is_closed in _closed_checks) else ""


@cache
def holds_secret(kind: Any) -> bool:
    """Returns whether a reply of this shape contains a secret that is shown once."""
    if kind is None:
        return False
    fields = getattr(kind(), "fields", {}).values()
    if any(isinstance(field.child if isinstance(field, ListField) else field, OnceField) for field in fields):
        return True
    return any(holds_secret(inner) for inner in disclosure.nested(kind).values())


def _authority(by: Any) -> dict[str, Any]:
    return {"role": str(by.role), "scopes": sorted(by.scopes), "admin_clinical": bool(settings.HIMS_ADMIN_CLINICAL)}
