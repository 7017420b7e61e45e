"""The second factor: codes of an authenticator app (TOTP, RFC 6238) and recovery codes.

Seeds are sealed with the key ring, and again with its newest key at each accepted code; recovery codes are hashes. A code is
valid once: the row stores the step of the newest accepted one, under its lock. One step of 30 seconds to either side is
tolerated, and the drift of the phone's clock is remembered.
"""

import hashlib
import logging
import secrets
from base64 import b32decode, b32encode
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from uuid import UUID

import segno
from django.conf import settings
from django.db import transaction
from django_otp.oath import TOTP

from apps.access.actor import Actor
from apps.accounts import selectors
from apps.accounts.events import RecoveryCodesRenewed, RecoveryCodeUsed, SecondFactorDisabled, SecondFactorEnabled
from apps.accounts.models import RecoveryCode, Session, TotpDevice, User
from apps.accounts.services import session_revocation
from apps.audit import services as audit
from apps.common import clock, keyring
from apps.common.errors import Conflict, RateLimited, Unauthenticated
from apps.events.services import emit
from apps.rest import limits
from apps.rest.limits import RateClass
from apps.rest.permissions import require_recent_login

log = logging.getLogger(__name__)

_SEED_BYTES = 20  # RFC 4226, 4 (R6)
_CODES = 10
_CODE_BYTES = 10  # 80 bits: too many to search even with their hashes in hand
_TOLERANCE = 1  # steps


class MfaRequired(Unauthenticated):
    message = "Send the code of your authenticator app as `mfa_code`."

    def __init__(self) -> None:
        super().__init__(field="mfa_code", issue="mfa_required")


class MfaInvalid(Unauthenticated):
    message = "The code is wrong or was used before. Wait for the next one."

    def __init__(self) -> None:
        super().__init__(field="mfa_code", issue="mfa_invalid")


class SeedUnreadable(Unauthenticated):
    """No key of the ring decrypts the seed. No guess of the caller's, so it counts against no limit of failures."""

    reason = "mfa_invalid"
    message = "Your authenticator app can no longer be checked here. Use a recovery code, or ask an administrator to reset it."

    def __init__(self) -> None:
        super().__init__(field="mfa_code", issue="mfa_invalid")


class AlreadyEnrolled(Conflict):
    message = "A second factor is already set up. Remove it first."


class OwnSecondFactor(Conflict):
    message = "Remove your own second factor on your account page, with your password."


class NotEnrolled(Conflict):
    message = "No second factor is set up."


@dataclass(frozen=True)
class Enrolment:
    """The data for an authenticator app: the seed in base32, the same as a URI, and that as a QR code (SVG)."""

    secret: str
    otpauth_uri: str
    qr_svg: str


@transaction.atomic
def begin_totp(*, by: Actor, offered_to: UUID) -> Enrolment:
    """Creates a new seed, which is active once `confirm_totp` has seen a code of it. Any earlier seed is void.

    `offered_to` is the session, or the half-finished sign-in, that is shown the seed: only it may confirm it. Otherwise an
    attacker who knew the password could have the owner confirm a seed that both of them saw. Raises AlreadyEnrolled.
    """
    user = session_revocation.lock_staff_member(by.id)
    if selectors.has_second_factor(user.pk):
        raise AlreadyEnrolled
    seed = secrets.token_bytes(_SEED_BYTES)
    _save_device(user, seed, offered_to=offered_to)
    audit.record(by=by, action="mfa.begun", object_id=user.pk)
    return _enrolment(user, seed)


def pending_totp(*, by: Actor, offered_to: UUID) -> Enrolment:
    """Returns the pending seed of this same sign-in, for a page that is shown again; a new one if there is none."""
    device = TotpDevice.objects.filter(pk=by.id, offered_to=offered_to).select_related("user").first()
    if device is None:
        return begin_totp(by=by, offered_to=offered_to)
    try:
        return _enrolment(device.user, keyring.decrypt(bytes(device.sealed_seed)))
    except keyring.Unreadable:
        return begin_totp(by=by, offered_to=offered_to)


def confirm_totp(*, by: Actor, code: str, offered_to: UUID | None, session_id: UUID | None = None) -> list[str]:
    """Switches the second factor on and returns the recovery codes, which are never shown again.

    `offered_to` must be the value passed to `begin_totp`: a seed that another session saw is not accepted. All other sessions
    end, because they began without the second factor. Raises MfaInvalid, NotEnrolled, AlreadyEnrolled, and RateLimited after five
    tries a minute.
    """
    _count_attempt(f"enrol:{by.id}")
    with transaction.atomic():
        user = session_revocation.lock_staff_member(by.id)
        device = TotpDevice.objects.select_for_update().filter(pk=user.pk).first()
        if device is not None and device.confirmed_at:
            raise AlreadyEnrolled
        if device is None or device.offered_to != offered_to:
            raise NotEnrolled("Ask for a new seed in this session first: POST /auth/mfa/totp.")
        if not _verify_code(device, code):
            raise MfaInvalid
        device.confirmed_at, device.offered_to = clock.now(), None
        device.save(update_fields=["confirmed_at", "offered_to", "last_step", "drift", "sealed_seed"])
        codes = _new_codes(user)
        _end_other_sessions(by, user, session_id)
        emit(SecondFactorEnabled(user_id=user.pk), by=by)
    return codes


@transaction.atomic
def install_totp(*, by: Actor, user_id: UUID, seed: str) -> None:
    """Gives a sample account a published seed (base32)."""
    user = session_revocation.lock_staff_member(user_id)
    _save_device(user, b32decode(seed))
    emit(SecondFactorEnabled(user_id=user.pk), by=by)


def reseal_seeds() -> tuple[int, int]:
    """Encrypts every seed with the newest key of the ring, so that an older key can leave it.

    Returns how many were encrypted, and how many no key decrypts.
    """
    done = unreadable = 0
    for user_id in TotpDevice.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            device = TotpDevice.objects.select_for_update().filter(pk=user_id).first()
            if device is None:  # removed meanwhile
                continue
            try:
                device.sealed_seed = keyring.encrypt(keyring.decrypt(bytes(device.sealed_seed)))
            except keyring.Unreadable:
                unreadable += 1
                continue
            device.save(update_fields=["sealed_seed"])
            done += 1
    return done, unreadable


@transaction.atomic
def renew_recovery_codes(*, by: Actor) -> list[str]:
    """Creates a new set of codes; the old ones become void. Raises NotEnrolled."""
    user = session_revocation.lock_staff_member(by.id)
    if not selectors.has_second_factor(user.pk):
        raise NotEnrolled
    codes = _new_codes(user)
    emit(RecoveryCodesRenewed(user_id=user.pk), by=by)
    return codes


@transaction.atomic
def disable_totp(*, by: Actor, session_id: UUID | None = None) -> None:
    """Removes the own second factor; all other sessions end. Raises NotEnrolled.

    If the role requires one, the session is valid from then on only for setting it up again.
    """
    user = session_revocation.lock_staff_member(by.id)
    _delete_device(user)
    _end_other_sessions(by, user, session_id)
    emit(SecondFactorDisabled(user_id=user.pk), by=by)


@transaction.atomic
def reset_mfa(*, by: Actor, user_id: UUID) -> User:
    """Removes the second factor of a user who lost phone and codes: all their sessions end.

    Raises ReauthenticationRequired, NotEnrolled.
    """
    require_recent_login(by)
    user = session_revocation.lock_manageable(by, user_id)
    if user.pk == by.id:
        raise OwnSecondFactor
    _delete_device(user)
    session_revocation.end_everywhere(by=by, user=user, reason=Session.End.MFA_CHANGED)
    emit(SecondFactorDisabled(user_id=user.pk, reset=True), by=by)
    return user


def check(user: User, code: str, *, budget: str) -> None:
    """Accepts a code or a recovery code, once. Raises MfaRequired, MfaInvalid, and RateLimited after five tries a minute.

    `budget` names the counter of the five tries. Without a second factor a code is ignored.
    """
    if not selectors.has_second_factor(user.pk):
        return
    code = "".join(code.split())
    if not code:
        raise MfaRequired
    _count_attempt(f"mfa:{budget}")
    if not (_use_totp_code(user, code) if _is_totp(code) else _use_recovery_code(user, code)):
        raise MfaInvalid


def _count_attempt(budget: str) -> None:
    verdict = limits.hit(RateClass.AUTH, budget)
    if not verdict.allowed:
        raise RateLimited("Too many codes", retry_after=verdict.retry_after)


@transaction.atomic
def _use_totp_code(user: User, code: str) -> bool:
    """Checks the code under the row's lock: of ten requests with one code at the same time, one succeeds."""
    device = TotpDevice.objects.select_for_update().filter(pk=user.pk, confirmed_at__isnull=False).first()
    if device is None or not _verify_code(device, code):
        return False
    device.save(update_fields=["last_step", "drift", "sealed_seed"])
    return True


def _verify_code(device: TotpDevice, code: str) -> bool:
    """Returns whether it is the code of an unused step; if so the device stores the step and the drift, and its seed is encrypted
    with the newest key. Raises SeedUnreadable."""
    if not _is_totp(code):
        return False
    try:
        seed = keyring.decrypt(bytes(device.sealed_seed))
    except keyring.Unreadable as error:
        log.error("the second factor of user %s is unreadable: no key of HIMS_KEY_RING decrypts its seed", device.user_id)
        raise SeedUnreadable from error
    totp = TOTP(seed, drift=device.drift)
    if not totp.verify(int(code), tolerance=_TOLERANCE, min_t=device.last_step + 1):
        return False
    device.last_step, device.sealed_seed = totp.t(), keyring.encrypt(seed)
    device.drift = max(-TotpDevice.DRIFT_LIMIT, min(TotpDevice.DRIFT_LIMIT, totp.drift))
    return True


@transaction.atomic
def _use_recovery_code(user: User, code: str) -> bool:
    unused = RecoveryCode.objects.filter(user=user, used_at=None)
    if not unused.filter(code_hash=_hash(user, code)).update(used_at=clock.now()):
        return False
    emit(RecoveryCodeUsed(user_id=user.pk, left=unused.count()), by=user)
    return True


def _is_totp(code: str) -> bool:
    return len(code) == 6 and code.isascii() and code.isdigit()


def _new_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    raw = [b32encode(secrets.token_bytes(_CODE_BYTES)).decode() for _ in range(_CODES)]
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, code_hash=_hash(user, code)) for code in raw])
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in raw]


def _hash(user: User, code: str) -> bytes:
    """Returns the hash of the code however it was typed: in any case, with or without dashes, 0 for O and 1 for I."""
    plain = code.replace("-", "").upper().replace("0", "O").replace("1", "I")
    return hashlib.sha256(f"{user.pk}:{plain}".encode()).digest()


def _save_device(user: User, seed: bytes, *, offered_to: UUID | None = None) -> None:
    """Saves the device. With `offered_to` the seed is pending; without, it is active immediately."""
    now = clock.now()
    values = {"sealed_seed": keyring.encrypt(seed), "created_at": now, "last_step": -1, "drift": 0, "offered_to": offered_to}
    TotpDevice.objects.update_or_create(user=user, defaults=values | {"confirmed_at": None if offered_to else now})


def _delete_device(user: User) -> None:
    if not TotpDevice.objects.filter(pk=user.pk, confirmed_at__isnull=False).delete()[0]:
        raise NotEnrolled
    RecoveryCode.objects.filter(user=user).delete()


def _end_other_sessions(by: Actor, user: User, session_id: UUID | None) -> None:
    """Ends the other sessions, and restricts or frees the current one according to the rules for this user."""
    session_revocation.end_everywhere(by=by, user=user, reason=Session.End.MFA_CHANGED, keep_session_id=session_id)
    session_revocation.session_by_id(session_id).update(enrollment_only=selectors.must_enrol(user))


def _enrolment(user: User, seed: bytes) -> Enrolment:
    secret = b32encode(seed).decode()
    issuer = f"HIMS {settings.CLINIC_NAME}"
    query = urlencode({"secret": secret, "issuer": issuer}, quote_via=quote)
    uri = f"otpauth://totp/{quote(f'{issuer}:{user.username}')}?{query}"
    qr_svg = segno.make(uri, error="m").svg_inline(scale=4, border=4, light="#fff", svgclass=None, lineclass=None)
    return Enrolment(secret, uri, qr_svg)
