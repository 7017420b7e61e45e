"""The rights of medicines: name, roles, scope of an API key (None: never)."""

from apps.access import permissions
from apps.access.roles import CLINICAL, Role
from apps.access.scopes import Scope

_PHARMACY = {Role.ADMIN, Role.PHARMACIST}


class Permission(permissions.Permission):
    DRUG_VIEW = "drug.view", CLINICAL | _PHARMACY, Scope.PHARMACY_READ  # look up drugs of the catalogue
    DRUG_KEEP = "drug.keep", _PHARMACY, Scope.PHARMACY_WRITE  # add drugs, change brands, schedule and use
