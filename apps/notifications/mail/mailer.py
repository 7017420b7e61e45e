"""Sends a mail: plain text, no patient data, immediately or not at all.

`send` talks to the mail server before it returns, so only a listener calls it, under `RETRY_POLICY`: the delivery of the event is
the mail's durable row. It is locked while the mail is sent, retried for a day while the server does not respond, and then
dead-lettered for an administrator to see. So neither the outbox nor the broker contains the text of a mail or a link that opens
an account: the listener creates it again at each attempt. A worker that dies between the server's confirmation and the commit
sends the mail a second time, with the same Message-ID; so does a crash of PostgreSQL within a second after the commit.
"""

import re
import smtplib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from typing import Any, Self
from uuid import UUID, uuid5

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import select_template

from apps.accounts.models import User
from apps.common.ids import new_id
from apps.common.text import isolated
from apps.events.listeners import RetryPolicy

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_FIRST_RETRIES = (timedelta(seconds=5), timedelta(seconds=30), 2 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE)
_LATER_RETRIES = (_HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 8 * _HOUR)
RETRY_POLICY = RetryPolicy(queue="mail", asynchronous_commit=True, backoff=(*_FIRST_RETRIES, *_LATER_RETRIES))  # about a day

PAUSE_SECONDS = 30.0  # seconds without another attempt after the server did not respond
_HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}  # RFC 3834: prevents automatic replies


@dataclass(frozen=True)
class Recipient:
    """The recipient. `key` is the same at each attempt and unique to the recipient. A patient has no `name` here: no mail
    contains it."""

    key: UUID
    address: str
    name: str = ""
    language: str = ""  # BCP 47; empty or without a translation: English

    @classmethod
    def of(cls, user: User) -> Self:
        """Returns the recipient for a user account."""
        return cls(key=user.pk, address=user.email, name=isolated(user.full_name))


class MailRejected(OSError):
    """The mail server refused the mail. Its message is passed on without the address, which may be a patient's."""


class MailServerPaused(Exception):
    """The mail server did not respond a moment ago, and callers do not wait for it again so soon."""


class _Pause:
    """The time until which this process does not try the server: otherwise every mail of a queue would wait out its time-out."""

    until = 0.0


def send(*, to: Recipient, template: str, context: Mapping[str, Any], event_id: UUID | None = None) -> None:
    """Mails `templates/emails/<template>.txt`, whose first line is the subject. Its variables include `name`, `clinic`, `phone`.

    Raises OSError if the server does not respond, MailRejected if it refuses, MailServerPaused if it is not tried.
    """
    if time.monotonic() < _Pause.until:
        raise MailServerPaused
    mail = compose(to=to, template=template, context=context, event_id=event_id)
    try:
        mail.send()
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as answer:
        raise MailRejected(_redacted(to.address, answer)) from None  # the original error contains the address, in the log too
    except OSError:
        _Pause.until = time.monotonic() + PAUSE_SECONDS
        raise


def compose(*, to: Recipient, template: str, context: Mapping[str, Any], event_id: UUID | None) -> EmailMessage:
    """Returns the mail. Values are put on one line each: a name cannot add lines to the text."""
    values = {"name": to.name, "clinic": settings.CLINIC_NAME, "phone": settings.CLINIC_PHONE} | dict(context)
    one_line = {name: " ".join(value.split()) if isinstance(value, str) else value for name, value in values.items()}
    rendered = select_template(_in_language(template, to.language)).render(one_line)
    subject, _, body = rendered.strip().partition("\n")
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    message_id = f"<{uuid5(event_id or new_id(), f'{template} {to.key}')}@{domain}>"
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body.strip() + "\n",
        to=[to.address],
        headers={**_HEADERS, "Message-ID": message_id},
    )


def _in_language(template: str, language: str) -> list[str]:
    """Returns the templates to try: the language's own translation, then English."""
    primary = re.match(r"[a-z]{2,3}(?![a-z])", language.lower())
    translated = [f"emails/{primary[0]}/{template}.txt"] if primary else []
    return [*translated, f"emails/{template}.txt"]


def _redacted(address: str, error: Exception) -> str:
    return re.sub(re.escape(address), "(the recipient)", f"{type(error).__name__}: {error}", flags=re.IGNORECASE)


def end_pause() -> None:
    """Allows trying the server again (tests)."""
    _Pause.until = 0.0
