"""The accounts app."""

from apps.accounts.api.descriptions import DESCRIPTIONS
from apps.common.domain import DomainConfig


class AccountsConfig(DomainConfig):
    name = "apps.accounts"
    verbose_name = "Staff"
    floor = 4
    descriptions = DESCRIPTIONS
    api_urls = "apps.accounts.api.urls"
    loads = ("authentication.retention",)
    enum_names = {
        "Role": "apps.access.roles.STAFF",
        "Scope": "apps.accounts.api.api_keys.KEY_SCOPES",
        "ApiKeyStatus": "apps.accounts.api.api_keys.KEY_STATES",
        "UserStatus": "apps.accounts.api.users.USER_STATES",
    }
