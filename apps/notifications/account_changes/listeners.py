"""Notifies users of changes to their account: the e-mail address, the password, an API key.

An attacker who steals an account changes these first, so the notifications go where the attacker cannot suppress them.
"""

from uuid import UUID, uuid5

from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts import selectors as accounts_selectors
from apps.accounts import services as accounts
from apps.accounts.events import ApiKeyRevoked, EmailChanged, StaffChanged
from apps.accounts.models import ApiKey, User
from apps.common.text import isolated
from apps.events.event import Event
from apps.events.listeners import after_commit
from apps.notifications import services
from apps.notifications.mail import mailer
from apps.notifications.mail.mailer import Recipient
from apps.notifications.messages.wording import clinic_time, person
from apps.notifications.models import Priority, Type
from apps.notifications.services import Notice


@after_commit(EmailChanged)
def notify_of_email_change(event: EmailChanged) -> None:
    """Notifies the owner within HIMS."""
    message = (
        f"The e-mail address of your account was changed on {clinic_time(event.announced_at)} by {_actor_name(event)}. "
        "If you did not expect this, tell an administrator now."
    )
    _notify(event, event.user_id, "Your e-mail address was changed", message, reverse("admin:password_change"))


@after_commit(EmailChanged, policy=mailer.RETRY_POLICY)
def mail_former_address(event: EmailChanged) -> None:
    """Mails the previous address, whose mail an attacker cannot read."""
    _mail_email_change(event, accounts.addresses_of(event.sealed).former, "former")


@after_commit(EmailChanged, policy=mailer.RETRY_POLICY)
def mail_new_address(event: EmailChanged) -> None:
    """Mails the new address; if it has a typing error, its reader can report it."""
    _mail_email_change(event, accounts.addresses_of(event.sealed).new, "new")


@after_commit(ApiKeyRevoked)
def notify_of_key_revoked_by_other(event: ApiKeyRevoked) -> None:
    """Notifies the owner, whose programs stop working."""
    key = _key(event.api_key_id)
    if key and event.reason != "owner_deactivated" and _is_by_other(event, event.user_id):
        message = (
            f"{_actor_name(event)} revoked your API key {_key_name(key)} on {clinic_time(event.announced_at)}. "
            "Programs that use it no longer have access."
        )
        address = reverse("admin:accounts_apikey_change", args=[key.pk])
        _notify(event, event.user_id, "Your API key was revoked", message, address)


@after_commit(ApiKeyRevoked, policy=mailer.RETRY_POLICY)
def mail_key_revoked_by_other(event: ApiKeyRevoked) -> None:
    """Mails the owner, who may seldom be signed in."""
    owner, key = accounts_selectors.staff_member(event.user_id), _key(event.api_key_id)
    if owner and key and _is_by_other(event, event.user_id):
        context = {"who": _actor_name(event), "key": _key_name(key), "at": clinic_time(event.announced_at)}
        mailer.send(to=Recipient.of(owner), template="api_key_revoked", context=context, event_id=event.event_id)


@after_commit(StaffChanged, policy=mailer.RETRY_POLICY)
def mail_password_set_by_other(event: StaffChanged) -> None:
    """Mails the owner: the administrator who set the password can sign in to the account."""
    owner = accounts_selectors.staff_member(event.user_id)
    if owner and "password" in event.changes and _is_by_other(event, event.user_id):
        context = {"who": _actor_name(event), "at": clinic_time(event.announced_at)}
        mailer.send(to=Recipient.of(owner), template="password_set", context=context, event_id=event.event_id)


def _mail_email_change(event: EmailChanged, address: str, which: str) -> None:
    user = User.objects.filter(pk=event.user_id).first()
    if user is None:
        return
    to = Recipient(key=uuid5(user.pk, which), address=address, name=isolated(user.full_name))
    keys = [_key_name(key) for key in accounts_selectors.live_keys(user.pk)]
    context = {"username": user.username, "at": clinic_time(event.announced_at), "who": _actor_name(event), "keys": keys}
    mailer.send(to=to, template="email_changed", context=context, event_id=event.event_id)


def _notify(event: Event, user_id: UUID, title: str, message: str, address: str) -> None:
    notice = Notice(title=title, message=message, type=Type.WARNING, priority=Priority.HIGH, action_url=address)
    services.notify(by=SYSTEM, notice=notice, ids=[user_id], event_id=event.event_id)


def _is_by_other(event: Event, owner_id: UUID) -> bool:
    """Returns whether another person did it; the system notifies no user of its own acts."""
    return event.announced_by not in (None, owner_id)


def _actor_name(event: Event) -> str:
    return person(event.announced_by) if event.announced_by else "the system"


def _key(key_id: UUID) -> ApiKey | None:
    return ApiKey.objects.filter(pk=key_id).first()


def _key_name(key: ApiKey) -> str:
    """Returns the key's name for its owner, on one line; never its text."""
    return f"{' '.join(key.name.split())} ({key.prefix}…{key.last4})"
