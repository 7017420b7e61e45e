"""The password rules for Django, wherever a password is chosen. All data is on this machine."""

from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from apps.accounts import rules, selectors


class PasswordRules:
    """Applies `rules.weakness` with Django's list of 20,000 common passwords and the names of the user."""

    def validate(self, password: str, user: Any = None) -> None:
        with_mfa = bool(user and user.pk and selectors.has_second_factor(user.pk))
        own = [user.username, user.email, user.first_name, user.last_name] if user else []
        why = rules.weakness(password, with_mfa=with_mfa, own=[*own, settings.CLINIC_NAME], is_common=_is_common)
        if why:
            raise ValidationError(why)

    def get_help_text(self) -> str:
        return f"At least {rules.LENGTH} characters, or {rules.LENGTH_WITH_MFA} with a second factor. Any characters will do."


@cache
def _common() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)


def _is_common(text: str) -> bool:
    return text in _common()
