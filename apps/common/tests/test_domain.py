"""What apps declare about themselves, and how it is collected."""

import pytest

from apps.common import domain
from apps.common.domain import DomainConfig, Periodic


def test_a_periodic_task_becomes_an_entry_of_beat() -> None:
    entry = Periodic("apps.lamps.tasks.dim", every=10, expires=30, kwargs={"thorough": True}).entry()
    assert entry == {
        "task": "apps.lamps.tasks.dim",
        "schedule": 10.0,
        "kwargs": {"thorough": True},
        "options": {"expires": 30},
    }
    assert Periodic("apps.lamps.tasks.dim", every=10).entry()["options"] == {}


def test_declarations_are_read_before_django_loads_the_apps() -> None:
    (config,) = domain.config_classes(["apps.common"])
    assert issubclass(config, DomainConfig)
    assert config is not DomainConfig
    assert (config.name, config.floor) == ("apps.common", 0)


def test_a_task_or_an_enum_of_two_apps_is_refused() -> None:
    with pytest.raises(ValueError, match="two apps declare 'Role'"):
        domain.merged([{"Role": "a"}, {"Role": "b"}])
    assert domain.merged([{"Role": "a"}, {"Scope": "b"}]) == {"Role": "a", "Scope": "b"}


def test_every_app_that_is_installed_declares_a_floor() -> None:
    assert all(isinstance(config.floor, int) for config in domain.installed())
