"""Django's sign-in (the admin's page) through the same recognition as the API's."""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from apps.accounts import selectors, services
from apps.accounts.models import User


class StaffBackend(BaseBackend):
    """Knows active staff and grants no Django permission: rights come from `access`."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        try:
            return services.authenticate(username or "", password or "")
        except services.WrongCredentials:
            return None

    def get_user(self, user_id: UUID) -> User | None:
        return selectors.staff_member(user_id)
