"""Forms of staff. They check shape; the services decide."""

from typing import Any

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.utils.translation import gettext_lazy as _

from apps.access.roles import STAFF
from apps.accounts.models import User
from apps.desk.kit.forms import ServiceForm
from apps.desk.kit.role_names import ROLE_NAMES

_HINT = "At least 15 characters. Three or four words that are not a name work well."
_ROLES = [("", _("Choose a role")), *((role.value, ROLE_NAMES[role]) for role in STAFF)]


def _password(label: str, hint: str = "") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, max_length=128, strip=False, widget=widget, help_text=hint)


class NewPasswordForm(forms.Form):
    """A new password, typed twice."""

    password = _password("New password", _HINT)
    again = _password("New password, repeated")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "password" in cleaned and "again" in cleaned and cleaned["password"] != cleaned["again"]:
            self.add_error("again", "The two passwords differ.")
        return cleaned


REVOKE_API_KEYS = "Also revoke all API keys of this account. Programs that use them stop working immediately."


class SetPasswordForm(NewPasswordForm):
    """A new password for another user's account."""

    revoke_api_keys = forms.BooleanField(required=False, label="Revoke API keys", help_text=REVOKE_API_KEYS)


class StaffForm(ServiceForm[User]):
    """A member of staff."""

    role = forms.ChoiceField(choices=_ROLES)


class HireForm(NewPasswordForm, StaffForm):
    """A new member of staff; the lower half applies to doctors."""

    specialty = forms.CharField(max_length=100, required=False)
    npi = forms.CharField(label="NPI", max_length=10, required=False, help_text="National Provider Identifier, ten digits")
    taxonomy = forms.CharField(label="NUCC taxonomy", max_length=10, required=False, help_text="like 207Q00000X")
    languages = SimpleArrayField(
        forms.CharField(max_length=10), required=False, help_text="Language codes with commas between them: en, es"
    )

    class Meta:
        model = User
        fields = ("username", "email", "first_name", "last_name")
