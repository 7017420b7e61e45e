"""What an app declares about itself, so that nothing outside its folder has to name it.

    class AppointmentsConfig(DomainConfig):
        name = "apps.appointments"
        floor = 6
        api_urls = "apps.appointments.api.urls"
        beat = {"advance waitlist offers": Periodic("apps.appointments.tasks.advance_offers", every=15, expires=30)}
        patient_links = ("appointments.Appointment.patient",)

The composition root (`hims`) and the lower apps collect the declarations of the installed apps (`domains`). The declarations
are read from the class while the settings load, so an `apps.py` imports no models. `docs/adding-an-app.md` lists the steps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.apps import AppConfig, apps
from django.utils.module_loading import module_has_submodule

from apps.common.row_counters import RowCounter

T = TypeVar("T")


@dataclass(frozen=True)
class Periodic:
    """A task that Celery beat starts again and again.

    `task` is its dotted name, `every` and `expires` are in seconds. A run that no worker took within `expires` is dropped:
    after an outage a worker finds one run of each task, not thousands.
    """

    task: str
    every: float
    expires: float | None = None
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def entry(self) -> dict[str, Any]:
        """Return the entry of CELERY_BEAT_SCHEDULE."""
        options = {"expires": self.expires} if self.expires else {}
        return {"task": self.task, "schedule": float(self.every), "kwargs": dict(self.kwargs), "options": options}


class DomainConfig(AppConfig):
    """The AppConfig of every app under `apps/`."""

    default = False  # an apps.py imports this base, which is no app itself

    floor: ClassVar[int]  # an app imports only apps of lower floors (docs/architecture.md)
    api_urls: ClassVar[str] = ""  # the module with the app's routes of /v1
    beat: ClassVar[Mapping[str, Periodic]] = {}  # by a name that says what the task does
    enum_names: ClassVar[Mapping[str, str]] = {}  # name in the OpenAPI file -> dotted path of the choices
    patient_links: ClassVar[tuple[str, ...]] = ()  # "app.Model.field": foreign keys whose rows follow a patient into a merge
    sample_ids: ClassVar[Mapping[str, UUID]] = {}  # names that the API accepts instead of ids
    descriptions: ClassVar[Mapping[str, str]] = {}  # texts of the OpenAPI file (apps/rest/api/descriptions.py)
    row_counters: ClassVar[tuple[RowCounter, ...]] = ()  # what `0002_triggers.py` creates with CreateRowCounter
    loads: ClassVar[tuple[str, ...]] = ()  # modules that register something, besides LOADED_WHERE_PRESENT

    LOADED_WHERE_PRESENT: ClassVar[tuple[str, ...]] = ("rights", "registrations", "listeners", "retention")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.default = True

    def ready(self) -> None:
        """Import the modules that register rights, port handlers, listeners and retention rules."""
        present = [name for name in self.LOADED_WHERE_PRESENT if module_has_submodule(self.module, name)]
        for name in (*present, *self.loads):
            import_module(f"{self.name}.{name}")


def installed() -> list[DomainConfig]:
    """Return the installed apps, in the order of the settings."""
    return [config for config in apps.get_app_configs() if isinstance(config, DomainConfig)]


def row_counters() -> list[RowCounter]:
    """Return the row counters of the installed apps."""
    return [counter for config in installed() for counter in config.row_counters]


def config_classes(names: Iterable[str]) -> list[type[DomainConfig]]:
    """Return the declarations of the named apps before Django has loaded them, for the settings."""
    modules = [import_module(f"{name}.apps") for name in names]
    return [one for module in modules for one in vars(module).values() if _is_config_of(module.__name__, one)]


def beat_schedule(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return CELERY_BEAT_SCHEDULE: what the named apps have beat start."""
    tasks = merged(config.beat for config in config_classes(names))
    return {title: task.entry() for title, task in tasks.items()}


def enum_names(names: Iterable[str]) -> dict[str, str]:
    """Return drf-spectacular's ENUM_NAME_OVERRIDES: the names of the enums of the named apps in the OpenAPI file."""
    return merged(config.enum_names for config in config_classes(names))


def merged(declarations: Iterable[Mapping[str, T]]) -> dict[str, T]:
    """Return the declarations as one. Raises ValueError where two apps declare the same name."""
    collected: dict[str, T] = {}
    for declared in declarations:
        for name, value in declared.items():
            if name in collected:
                raise ValueError(f"two apps declare {name!r}")
            collected[name] = value
    return collected


def _is_config_of(module: str, candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, DomainConfig) and candidate.__module__ == module


def compact_row_counters() -> int:
    """Compact every row counter of the installed apps. Return how many blocks had several rows."""
    return sum(counter.compact() for counter in row_counters())
