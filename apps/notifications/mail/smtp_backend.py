"""Sends to addresses whose local part is not ASCII (`josé@example.com`): by SMTPUTF8 (RFC 6531), or not at all.

Django 5.2 writes such a local part as an encoded word (`=?utf-8?q?jos=C3=A9?=@example.com`), which is another mailbox: the mail
is accepted and never arrives (Django's ticket 35714; RFC 2047, section 5, forbids it). Here a server without SMTPUTF8 is an
error, which the delivery shows.
"""

from email import message_from_bytes, policy
from email.message import EmailMessage as Message
from typing import Any, cast

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.utils.encoding import punycode

from apps.common import emails


class SmtpUtf8Backend(EmailBackend):
    """Django's backend; international addresses are sent as they are written."""

    def _send(self, email_message: EmailMessage) -> bool:
        if all(emails.is_ascii(address) for address in email_message.recipients()):
            return bool(super()._send(email_message))  # type: ignore[misc]  # a private method that the stubs leave out
        connection = cast("Any", self.connection)
        connection.send_message(
            international(email_message),
            from_addr=None,
            to_addrs=[_ascii_domain(address) for address in email_message.recipients()],
        )
        return True


def international(mail: EmailMessage) -> Message:
    """Returns the mail with its recipients as they are written, for SMTPUTF8."""
    message = message_from_bytes(mail.message().as_bytes(), policy=policy.SMTPUTF8)
    del message["To"]
    message["To"] = ", ".join(_ascii_domain(address) for address in mail.to)
    return message


def _ascii_domain(address: str) -> str:
    """Returns the address with its local part unchanged and the domain in its ASCII form."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{punycode(domain)}"
