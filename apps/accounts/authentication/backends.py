"""Django's sign-in (the admin page) through the same authentication as the API."""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from apps.accounts import selectors, services
from apps.accounts.models import User


class StaffBackend(BaseBackend):
    """Authenticates active staff and grants no Django permission: permissions come from `access`."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        try:
            return services.authenticate(username or "", password or "")
        except services.WrongCredentials:
            return None

    def get_user(self, user_id: UUID) -> User | None:
        return selectors.staff_member(user_id)
