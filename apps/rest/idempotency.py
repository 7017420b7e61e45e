"""Idempotency-Key: a POST that is repeated with its key runs once, and gets the first reply again.

The key, the effect and the reply are one transaction. A worker that dies before the commit leaves neither; if it dies after the
commit, a caller who has not received the reply gets it by repeating the request. Replies 2xx and business 409 are stored for 24
hours, by caller, method and path, encrypted with the key ring. Any other refusal leaves the key unused. What a service commits
despite its refusal stays, as without a key.

A stored reply is shown only if it could be shown now (`replays`): a reply with a secret, or with data that the caller may no
longer see, becomes 409 `replay_withheld`.

An advisory lock marks a key that is in use. It ends with the transaction, so a crash cannot leave it behind, and a second request
is refused at once instead of waiting.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from psycopg.pq import TransactionStatus
from rest_framework.request import Request

from apps.common import clock, context, keyring
from apps.common.errors import Conflict, IdempotencyMismatch, Invalid
from apps.rest import audit_log, endpoint, replays, sql
from apps.rest.endpoint import PUBLIC
from apps.rest.models import KeptReply
from apps.rest.transactions import commit_despite_refusal

KEPT = timedelta(hours=24)
HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_SECONDS_IN_FLIGHT = "1"


class InFlight(Conflict):
    """The first request with this key has not been answered yet."""

    message = "A request with this Idempotency-Key is still being processed. Send it again in a moment."
    headers = {"Retry-After": _SECONDS_IN_FLIGHT}


class ReplyLost(Conflict):
    message = "The request was carried out, but its reply can no longer be read. Read the resource instead of sending it again."


class ReplayWithheld(Conflict):
    message = (
        "The request was carried out the first time, and nothing was done now. Its reply is not shown again: "
        "it contained a secret, or data that you may no longer see. Read the resource instead, or create a "
        "new secret."
    )


def accepts_key(view: Any, method: str, path: str) -> bool:
    """Returns whether a key is used here: on every POST of an authenticated caller, except those of sign-in, under /auth/."""
    if method != "POST" or not view.idempotent or path.removeprefix("/v1").startswith("/auth/"):
        return False
    return endpoint.of(view, view.action).permission is not PUBLIC


def guard(view: Any, request: Request, handler: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Returns the action, run once for its key; unchanged if no key was sent or none is used here. Raises Invalid for an invalid
    key."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None or not request.user or not accepts_key(view, request.method or "", request.path_info):
        return handler
    if not _KEY.fullmatch(key):
        raise Invalid(field=HEADER, issue="An Idempotency-Key has 1 to 255 visible ASCII characters.")
    return partial(_run_once, view, handler, key)


def forget_expired(batch: int = 10_000) -> int:
    """Deletes expired replies, in batches of so many. Returns how many."""
    total = 0
    while deleted := _forget_expired_batch(batch):
        total += deleted
    return total


def _forget_expired_batch(most: int) -> int:
    expired = KeptReply.objects.filter(expires_at__lte=clock.now())
    oldest = list(expired.order_by("expires_at").values_list("pk", flat=True)[:most])
    return expired.filter(pk__in=oldest).delete()[0]  # asks again: a key may have been used again, and its row has the new reply


def fingerprint(request: Request) -> bytes:
    """Identifies a request: a digest of the query and the body, independent of the order of keys and the notation of numbers."""
    body: Any = request.data
    if not isinstance(body, bytes):
        body = json.dumps(body, sort_keys=True, separators=(",", ":"), default=_number).encode()
    query = json.dumps(sorted(request.query_params.lists())).encode()
    return hashlib.sha256(query + b"\n" + body).digest()


def _run_once(
    view: Any, handler: Callable[..., HttpResponseBase], key: str, request: Request, *args: Any, **more: Any
) -> HttpResponseBase:
    name, digest = _name(view, request, key), fingerprint(request)
    return commit_despite_refusal(lambda: _run_or_replay(view, partial(handler, request, *args, **more), name, digest))


def _run_or_replay(view: Any, handler: Callable[[], HttpResponseBase], name: bytes, digest: bytes) -> HttpResponseBase:
    is_free, stored = sql.begin(name, now=clock.now())
    if not is_free:
        raise InFlight(field=HEADER, issue="in_flight")
    if stored is not None:
        return _replay(view, KeptReply(name, *stored), digest)
    try:
        response = handler()
    except Conflict as error:
        response = view.handle_exception(error)
    is_final = 200 <= response.status_code < 300 or response.status_code == Conflict.status
    if is_final and isinstance(response, HttpResponse):  # a stream is not stored
        _store(name, digest, replays.pack(view, _rendered(view, response)), response.status_code)
    return response


def _store(name: bytes, digest: bytes, reply: bytes, status: int) -> None:
    if _is_aborted():  # a statement failed outside every savepoint: nothing can be stored, and the key is unused again
        return
    now = clock.now()
    row: list[Any] = [name, digest, context.current().request_id, status, keyring.encrypt(reply), now, now + KEPT]
    sql.keep(row)


def _replay(view: Any, kept: KeptReply, digest: bytes) -> HttpResponse:
    """Returns the first reply, byte for byte, and audits that.

    Raises IdempotencyMismatch, ReplyLost, ReplayWithheld.
    """
    if bytes(kept.asked) != digest:
        raise IdempotencyMismatch(field=HEADER, issue="other_payload")
    try:
        reply = replays.unpack(keyring.decrypt(bytes(kept.sealed)))
    except keyring.Unreadable:
        raise ReplyLost(field=HEADER, issue="reply_lost") from None
    about: dict[str, Any] = {"first_request": kept.request_id, "status": kept.status}
    if why := replays.withheld_reason(view, reply):
        action = f"{view.resource}.replay_withheld"
        audit_log.record(by=view.by, action=action, outcome=audit_log.DENIED, why=why, **about)
        raise ReplayWithheld(field=HEADER, issue="replay_withheld")
    audit_log.record(by=view.by, action=f"{view.resource}.replayed", **about)
    return HttpResponse(reply.body, status=kept.status, headers={**reply.headers, REPLAYED: "true"})


def _rendered(view: Any, response: HttpResponse) -> HttpResponse:
    """Returns the reply with its bytes, which DRF would render only after the transaction."""
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        view.finalize_response(view.request, response)
        response.render()
    return response


def _name(view: Any, request: Request, key: str) -> bytes:
    """Returns the digest of caller, method, path and key. None of these is stored in plain text."""
    parts = [view.limit_key(request), request.method or "", request.path_info, key]
    return hashlib.sha256("\n".join(parts).encode()).digest()


def _is_aborted() -> bool:
    return transaction.get_rollback() or connection.connection.info.transaction_status == TransactionStatus.INERROR


def _number(value: Any) -> Any:
    """Makes 1.0, 1.00 and 1 the same number (RFC 8785). A value that is not JSON raises TypeError."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else f"\x00{value.normalize()}"  # no text contains NUL
    raise TypeError(f"{type(value).__name__} in a body")
