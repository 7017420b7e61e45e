"""E-mail addresses, also those whose part before the @ is not ASCII (`josé@example.com`; RFC 6531 and RFC 6532)."""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import models

from apps.common import text

_ATOM = r"[-!#$%&'*+/=?^_`{}|~0-9A-Za-z\u0080-\U0010ffff]+"


class InternationalEmailValidator(EmailValidator):
    """Django's validator, with the letters that RFC 6531 adds to the local part. Refuses what `clean_line` would change."""

    user_regex = re.compile(rf"(?:^{_ATOM}(?:\.{_ATOM})*\Z)|{EmailValidator.user_regex.pattern}", re.IGNORECASE)
    message = "Enter a valid e-mail address, like name@example.com."

    def __call__(self, value: str | None) -> None:
        super().__call__(value)
        if value and value != _visible(value):
            raise ValidationError(self.message, code=self.code, params={"value": value})


validate_email = InternationalEmailValidator()


def normal(address: str) -> str:
    """Returns the address in Unicode's normal form C, so that one address is stored in one way."""
    return unicodedata.normalize("NFC", address)


def is_ascii(address: str) -> bool:
    """Returns whether every mail server can be given the address: its local part is ASCII. Domains have an ASCII form anyway."""
    return address.rpartition("@")[0].isascii()


class EmailAddressFormField(forms.EmailField):
    """A form's box for an address."""

    default_validators = [validate_email]

    def to_python(self, value: Any) -> str:
        return normal(super().to_python(value) or "")


class EmailAddressField(models.EmailField[str, str]):
    """A column for an address."""

    default_validators = [validate_email]

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**({"form_class": EmailAddressFormField} | kwargs))


def _visible(address: str) -> str:
    try:
        return text.clean_line(address)
    except text.LooksBlank:
        return ""
