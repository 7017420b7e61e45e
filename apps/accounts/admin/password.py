"""Changing one's own password, through the service: every session of the person over the API ends."""

from typing import Any

from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView

from apps.accounts import services
from apps.accounts.models import User
from apps.common.errors import HimsError
from apps.rest.admin.forms import tell


class OwnPasswordForm(PasswordChangeForm):
    """Saves while it is checked, so that a refusal is still told at the field."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                services.set_password(by=self.user, user_id=self.user.pk, password=cleaned["new_password1"])
            except HimsError as refusal:
                tell(self, refusal)
            self.user.refresh_from_db()
        return cleaned

    def save(self, commit: bool = True) -> User:
        """Done already; the page takes the person's new state into the session."""
        return self.user


class OwnPasswordView(PasswordChangeView):
    """The page."""

    form_class = OwnPasswordForm
    template_name = "registration/password_change_form.html"
