"""What the apps state for the tests of the whole, in their own `tests/contract.py`: MATRIX and pages(staff)."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from apps.common import domain


def contracts() -> list[ModuleType]:
    """Return the module `tests.contract` of every installed app that has one."""
    names = [f"{config.name}.tests.contract" for config in domain.installed()]
    return [import_module(name) for name in names if find_spec(name.rpartition(".")[0]) and find_spec(name)]
