"""Foreign keys point down and hide the way back."""

from django.apps import apps as registry
from django.db.models import ForeignKey, ManyToManyField

from hims.tests.floors import FLOOR


def floor(model: type) -> int | None:
    parts = model.__module__.split(".")
    return FLOOR[parts[1]] if parts[0] == "apps" else None


def test_foreign_keys_point_down_and_hide_their_reverse() -> None:
    problems = []
    for model in registry.get_models():
        if floor(model) is None:
            continue
        for field in model._meta.get_fields():
            if not isinstance(field, ForeignKey | ManyToManyField) or floor(field.related_model) is None:
                continue
            own = model._meta.app_label == field.related_model._meta.app_label
            if not own and floor(field.related_model) >= floor(model):
                problems.append(f"{model.__name__}.{field.name} points up or sideways")
            if not str(field.remote_field.related_name or "").endswith("+"):
                problems.append(f"{model.__name__}.{field.name} leaves a reverse accessor")
    assert not problems, "\n".join(problems)


def test_nothing_clinical_is_deleted_by_a_cascade() -> None:
    allowed = {("Delivery", "event"), ("RefreshToken", "session")}
    problems = {
        (model.__name__, field.name)
        for model in registry.get_models()
        if floor(model) is not None
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.remote_field.on_delete.__name__ == "CASCADE"
    }
    assert problems <= allowed
