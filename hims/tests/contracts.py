"""What the apps state for the tests of the whole, in their own `tests/contract.py` (`apps/access/tests/role_table.py`)."""

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any
from uuid import uuid4

from apps.access.tests.role_table import ROLES, PatientCall, Samples
from apps.accounts.models import User
from apps.common import domain


def contracts() -> list[ModuleType]:
    """Return the module `tests.contract` of every installed app that has one."""
    names = [f"{config.name}.tests.contract" for config in domain.installed()]
    return [import_module(name) for name in names if find_spec(name.rpartition(".")[0]) and find_spec(name)]


def _stated(name: str) -> dict[str, Any]:
    return domain.merged(getattr(contract, name, {}) for contract in contracts())


MATRIX: dict[str, str] = _stated("MATRIX")
KEY_SCOPES: dict[str, str | None] = _stated("KEY_SCOPES")
PATIENT_WRITES: dict[str, PatientCall] = _stated("PATIENT_WRITES")
PATIENT_FORMS: dict[str, PatientCall] = _stated("PATIENT_FORMS")
WRITES_WITHOUT_READ: dict[str, str] = _stated("WRITES_WITHOUT_READ")


def _named(name: str) -> set[str]:
    return {value for contract in contracts() for value in getattr(contract, name, ())}


PUBLIC_OPERATIONS, ENDS_SESSION = _named("PUBLIC"), _named("ENDS_SESSION")
IDENTITY, STAFF_REPLIES = _named("IDENTITY"), _named("STAFF_REPLIES")


def cells(operation: str, *, admin_clinical: bool) -> dict[str, str]:
    """Returns the cell of each role; for `c` its meaning in such an installation."""
    row = dict(zip(ROLES, MATRIX[operation].split(), strict=True))
    return {role: ("y" if admin_clinical else "-") if cell == "c" else cell for role, cell in row.items()}


def samples(staff: dict[str, User]) -> Samples:
    """Create the sample rows of all apps. Return them as one."""
    each = [contract.samples(staff) for contract in contracts() if hasattr(contract, "samples")]
    parts = ("ids", "bodies", "queries", "twins")
    return Samples(**{part: {name: value for one in each for name, value in getattr(one, part).items()} for part in parts})


def address_of(operation: str, rows: Samples) -> str:
    """Return the address of an operation: about the sample rows, or with ids of no row where `rows` has no body for it."""
    address = rows.address(operation) if rows.knows(operation) else operation.partition(" ")[2]
    return re.sub(r"\{\w+\}", lambda _: str(uuid4()), address)


def staff_pages(staff: dict[str, User]) -> dict[str, frozenset[str]]:
    """Create a row for each staff page of the apps. Return the addresses, with the roles that may open them."""
    return domain.merged(contract.pages(staff) for contract in contracts() if hasattr(contract, "pages"))


def parameters_of_pages(staff: dict[str, User]) -> Iterator[tuple[Iterable[str], tuple[str, ...]]]:
    """Create a row for each staff page. Yield the addresses of each app, with the parameters that its pages read.

    The pages of an app that states none get those of all apps.
    """
    every = _named("PAGE_PARAMETERS")
    for contract in contracts():
        if hasattr(contract, "pages"):
            yield contract.pages(staff), tuple(sorted(getattr(contract, "PAGE_PARAMETERS", every)))
