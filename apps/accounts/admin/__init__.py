"""The pages of people who sign in: staff, doctors, sessions over the API, API keys; and how one changes one's own password."""

from django.contrib import admin

from apps.accounts.admin import doctors, keys, sessions, staff
from apps.accounts.admin.password import OwnPasswordView

admin.site.password_view = OwnPasswordView  # type: ignore[attr-defined]

__all__ = ["doctors", "keys", "sessions", "staff"]
