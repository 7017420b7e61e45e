"""People read times in the clinic's time zone: no title, message or list shows UTC."""

import ast
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest
from django.apps import apps as registry
from django.db.models import CharField, DateField, DateTimeField, ForeignKey, Model, TextField

from hims.tests.test_architecture import APPS, is_test, sources

LATE = datetime(2026, 3, 2, 2, 5, tzinfo=UTC)  # 18:05 of the day before in Los Angeles
DAY = date(2020, 5, 4)  # of a column with a day, which has no time zone
AS_UTC = ("02:05", "2 Mar", "2026-03-02", "UTC")
INSTANTS = ("_at", "_time", "until", "since")  # how the columns end that contain an instant


def with_times() -> list[type[Model]]:
    """Returns the models with an instant."""
    ours = (model for model in registry.get_models() if model.__module__.startswith("apps.") and not model._meta.proxy)
    return [model for model in ours if any(isinstance(one, DateTimeField) for one in model._meta.fields)]


def filled(model: type[Model]) -> Model:
    """Returns an unsaved row in which each column that a name may use has a value, as have the rows that it refers to."""
    row = model()
    for field in model._meta.concrete_fields:
        if isinstance(field, ForeignKey):
            setattr(row, field.name, row if field.related_model is model else filled(cast("type[Model]", field.related_model)))
        elif isinstance(field, DateTimeField):
            setattr(row, field.name, LATE)
        elif isinstance(field, DateField):
            setattr(row, field.name, DAY)
        elif isinstance(field, CharField | TextField) and not field.has_default():
            setattr(row, field.name, "x")
    return row


@pytest.mark.parametrize("model", with_times(), ids=lambda model: model.__name__)
def test_a_row_is_named_in_the_clinics_time(model: type[Model], settings: Any) -> None:
    settings.CLINIC_TIME_ZONE = "America/Los_Angeles"
    name = str(filled(model))
    assert not [shown for shown in AS_UTC if shown in name], name


def unconverted(tree: ast.AST) -> Iterator[int]:
    """Returns the lines that format a column with an instant as it is stored, in UTC."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Attribute) and node.format_spec is not None:
            form = ast.unparse(node.format_spec)
            if node.value.attr.endswith(INSTANTS) and "%" in form:
                yield node.lineno


def test_no_text_formats_an_instant_as_it_is_stored() -> None:
    problems = [
        f"{path.relative_to(APPS)}:{line}"
        for path in sources()
        if not is_test(path)
        for line in unconverted(ast.parse(path.read_text()))
    ]
    assert not problems, "write these with `clinic_times`: " + ", ".join(problems)


def test_the_check_of_unconverted_instants_finds_one() -> None:
    assert [*unconverted(ast.parse('f"{row.scheduled_time:%H:%M}"'))] == [1]
    assert not [*unconverted(ast.parse('f"{local(row.scheduled_time):%H:%M}"'))]
