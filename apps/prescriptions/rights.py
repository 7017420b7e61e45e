"""The rights of medicines: name, roles, scope of an API key (None: never)."""

from apps.access import permissions
from apps.access.roles import CLINICAL, Role
from apps.access.scopes import Scope

_PHARMACY = {Role.ADMIN, Role.PHARMACIST}


class Permission(permissions.Permission):
    DRUG_VIEW = "drug.view", CLINICAL | _PHARMACY, Scope.PHARMACY_READ  # look up drugs of the catalogue
    DRUG_KEEP = "drug.keep", _PHARMACY, Scope.PHARMACY_WRITE  # add drugs, change brands, schedule and use
    INTERACTION_VIEW = "interaction.view", _PHARMACY, Scope.PHARMACY_READ  # list the known interactions
    KNOWLEDGE_VIEW = "pharmacy.knowledge_view", _PHARMACY | {Role.DOCTOR}, None  # the entries behind the safety checks
    KNOWLEDGE_WRITE = "pharmacy.knowledge", {Role.PHARMACIST}, None  # write and retire an entry of it
    KNOWLEDGE_REVIEW = "pharmacy.knowledge_review", {Role.PHARMACIST, Role.DOCTOR}, None  # review another person's entry
