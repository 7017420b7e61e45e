"""The composition root collects what the apps declare, and names none of them anywhere else."""

import re

from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from django.urls import get_resolver

from apps.common import domain
from apps.common.row_counters.operation import CreateRowCounter
from apps.rest import endpoint, sample_ids
from apps.rest.response_serializers import ResponseSerializer
from hims.celery import app as celery
from hims.launch.paths import PROJECT
from hims.tests.test_permissions import doors


def test_beat_starts_what_the_apps_declare() -> None:
    declared = {title: task for config in domain.installed() for title, task in config.beat.items()}
    assert set(celery.conf.beat_schedule) == set(declared)
    celery.loader.import_default_modules()
    assert {task.task for task in declared.values()} <= set(celery.tasks)


def test_the_busiest_apps_are_asked_first_for_a_route() -> None:
    api = next(pattern for pattern in get_resolver().url_patterns if str(pattern.pattern) == "v1/")
    modules = [one.callback.cls.__module__ for one in api.url_patterns]
    assert list(dict.fromkeys(module.partition(".api")[0] for module in modules))[:3] == [
        "apps.patients",
        "apps.appointments",
        "apps.consultations",
    ]


def test_the_names_of_the_samples_reach_the_api() -> None:
    declared = {name for config in domain.installed() for name in config.sample_ids}
    assert "patient_001" in declared
    assert all(sample_ids.resolve(name) for name in declared)


def test_every_enum_that_an_app_names_is_named_in_the_openapi_file() -> None:
    declared = {name for config in domain.installed() for name in config.enum_names}
    assert declared == set(settings.SPECTACULAR_SETTINGS["ENUM_NAME_OVERRIDES"])


def test_the_composition_root_names_an_app_in_one_place() -> None:
    """`consultations` is an app like any to come: it has tables, tasks, rights, enums, pages and links to patients."""
    named = re.compile(r"\bapps\.consultations\b")
    code = [path for path in (PROJECT / "hims").rglob("*.py") if "tests" not in path.parts]
    assert [str(path.relative_to(PROJECT)) for path in code if named.search(path.read_text())] == ["hims/settings/base.py"]


def test_every_row_counter_that_an_app_declares_is_the_one_that_its_migration_creates() -> None:
    migrations = MigrationLoader(None).disk_migrations.values()
    operations = [operation for migration in migrations for operation in migration.operations]
    created = {one.counter.table: one.counter for one in operations if isinstance(one, CreateRowCounter)}
    assert created == {counter.table: counter for counter in domain.row_counters()}
    assert {"appointments_rowcounter", "consultations_rowcounter", "patients_rowcounter"} <= set(created)


def test_the_serializer_of_every_operation_writes_its_reply() -> None:
    responses = {endpoint.of(view, action).response for _, _, action, view in doors()} - {None}
    assert len(responses) > 40
    assert not [kind for kind in responses if not issubclass(kind, ResponseSerializer)]
