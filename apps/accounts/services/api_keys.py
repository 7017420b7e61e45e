"""Creates, rotates and revokes API keys. A key's text is returned once and never stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from apps.access.actor import Actor
from apps.access.scopes import Scope
from apps.accounts.api_keys import rules
from apps.accounts.authentication import tokens
from apps.accounts.events import ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated
from apps.accounts.models import ApiKey, ApiKeySecret, User
from apps.common import clock
from apps.common.errors import Conflict, Forbidden, Invalid, NotFound
from apps.common.ids import new_id
from apps.common.text import checked_line
from apps.events.services import emit
from apps.rest.permissions import require_recent_login

OVERLAP = timedelta(hours=24)
MAX_KEYS = 50  # live ones per user; each has its own rate limit


class AlreadyRevoked(Conflict):
    message = "This API key is already revoked."


class OtherPersonsKey(Forbidden):
    message = "Only the owner of an API key can create or rotate it. You can revoke it instead."


class KeyNotActive(Conflict):
    message = "A key that was revoked or has expired cannot be rotated. Make a new one."


class TooManyKeys(Conflict):
    message = f"A person can have at most {MAX_KEYS} API keys. Revoke one that is no longer used."


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key to create. `id` and `text` are the sandbox's, whose keys are the same on every machine."""

    name: str
    scopes: Sequence[str]
    expires_at: datetime | None = None
    allowed_cidrs: Sequence[str] = ()
    id: UUID | None = None
    text: str = ""


@dataclass(frozen=True)
class IssuedKey:
    """The key with its text, which is shown only once."""

    key: ApiKey
    text: str


@transaction.atomic
def create_key(*, by: Actor, owner_id: UUID, new: NewKey) -> IssuedKey:
    """Creates a key with the user's permissions, limited to the scopes.

    Users create keys only for themselves: the text of a key is enough to act in its owner's name. Raises Forbidden for another
    owner, ReauthenticationRequired, Invalid with the field, TooManyKeys.
    """
    _check_owner(by, owner_id)
    require_recent_login(by)
    owner = _lock_owner(owner_id)
    now = clock.now()
    if ApiKey.objects.filter(user=owner).live(now).count() >= MAX_KEYS:
        raise TooManyKeys
    text = new.text or rules.generate(rules.kind_for(settings.HIMS_ENV))
    prefix, last4 = rules.visible_parts(text)
    key = ApiKey.objects.create(
        id=new.id or new_id(),
        user=owner,
        name=_checked_name(new.name),
        prefix=prefix,
        last4=last4,
        scopes=_checked_scopes(new.scopes),
        expires_at=_checked_expiry(new.expires_at, now),
        allowed_cidrs=_checked_networks(new.allowed_cidrs),
        created_at=now,
        updated_at=now,
    )
    _issue(key, text, now)
    emit(ApiKeyCreated(api_key_id=key.pk, user_id=owner.pk, scopes=tuple(key.scopes)), by=by)
    return IssuedKey(key, text)


@transaction.atomic
def rotate_key(*, by: Actor, key_id: UUID) -> IssuedKey:
    """Gives the own key a new text; the old one works for another day.

    Raises NotFound, Forbidden for another user's key, ReauthenticationRequired, KeyNotActive.
    """
    key, now = _lock_key(by, key_id), clock.now()
    _check_owner(by, key.user_id)
    require_recent_login(by)
    if key.state(now) != "active":
        raise KeyNotActive
    text = rules.generate(rules.kind_for(settings.HIMS_ENV))
    ApiKeySecret.objects.filter(api_key=key, ends_at=None).update(ends_at=now + OVERLAP)
    prefix, last4 = rules.visible_parts(text)
    key.amend(prefix=prefix, last4=last4)
    _issue(key, text, now)
    emit(ApiKeyRotated(api_key_id=key.pk, user_id=key.user_id, old_ends_at=now + OVERLAP), by=by)
    return IssuedKey(key, text)


@transaction.atomic
def revoke_key(*, by: Actor, key_id: UUID) -> ApiKey:
    """Ends the key: the next request with any text of it is refused. Raises NotFound, AlreadyRevoked."""
    key = _lock_key(by, key_id)
    if key.revoked_at is not None:
        raise AlreadyRevoked
    _revoke(key, by, "revoked")
    return key


def revoke_all_keys(*, by: Actor, user: User, reason: str) -> int:
    """Ends every key of a user, inside the caller's transaction. Returns how many ended."""
    live = list(ApiKey.objects.select_for_update().filter(user=user, revoked_at=None).order_by("pk"))
    for key in live:
        _revoke(key, by, reason)
    return len(live)


def record_key_use(key_id: UUID) -> None:
    """Records that the key was used just now."""
    ApiKey.objects.filter(pk=key_id).update(last_used_at=clock.now())


def _revoke(key: ApiKey, by: Actor, reason: str) -> None:
    key.amend(revoked_at=clock.now())
    emit(ApiKeyRevoked(api_key_id=key.pk, user_id=key.user_id, reason=reason), by=by)


def _issue(key: ApiKey, text: str, now: datetime) -> None:
    ApiKeySecret.objects.create(secret_hash=tokens.fingerprint(text), api_key=key, issued_at=now)


def _lock_key(by: Actor, key_id: UUID) -> ApiKey:
    visible: QuerySet[ApiKey] = ApiKey.objects.visible_to(by)
    key = visible.select_for_update().filter(pk=key_id).first()
    if key is None:
        raise NotFound("API key not found, or you don't have access to it.")
    return key


def _check_owner(by: Actor, owner_id: UUID) -> None:
    """Checks that the caller owns the key: its text allows acting as the owner, and the audit log names the owner.

    Raises Forbidden.
    """
    if by.id is not None and by.id != owner_id:
        raise OtherPersonsKey


def _lock_owner(user_id: UUID) -> User:
    """Locks the owner, so that two keys created at the same time are both counted, and none is created for a user who leaves
    meanwhile."""
    owner = User.objects.select_for_update().filter(pk=user_id).first()
    if owner is None or not owner.is_staff:
        raise NotFound("There is no such member of staff.")
    return owner


def _checked_name(name: str) -> str:
    cleaned = checked_line(name, field="name")
    if not cleaned:
        raise Invalid(field="name", issue="Enter what the key is for.")
    return cleaned


def _checked_scopes(requested: Sequence[str]) -> list[str]:
    known = [scope.value for scope in Scope]
    if unknown := [scope for scope in requested if scope not in known]:
        raise Invalid(field="scopes", issue=f"Unknown scope {unknown[0]!r}. Known scopes: {', '.join(known)}.")
    if not requested:
        raise Invalid(field="scopes", issue=f"Name at least one of {', '.join(known)}.")
    return sorted(set(requested))


def _checked_expiry(moment: datetime | None, now: datetime) -> datetime | None:
    if moment is not None and moment <= now:
        raise Invalid(field="expires_at", issue="This time is in the past. Send a future time, or leave it out.")
    return moment


def _checked_networks(requested: Sequence[str]) -> list[str]:
    networks: list[str] = []
    for position, text in enumerate(requested):
        try:
            networks.append(rules.normalized_network(text))
        except ValueError as error:
            issue = f"Write an address or a block like 203.0.113.0/24: {error}."
            raise Invalid(field=f"allowed_cidrs[{position}]", issue=issue) from error
    return list(dict.fromkeys(networks))
