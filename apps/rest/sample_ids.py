"""A plug for names that stand for ids (`patient_001` in the sandbox). Without a plugged resolver there are none."""

from collections.abc import Mapping
from uuid import UUID

from apps.common.errors import Invalid, NotFound

_names: dict[str, UUID] = {}


def register(names: Mapping[str, UUID]) -> None:
    """Add names that stand for ids."""
    _names.update(names)


def resolve(text: str) -> UUID | None:
    """The id a text stands for: a plugged name, or a UUID in its 36-character form; else None."""
    if text in _names:
        return _names[text]
    if len(text) != 36:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None


def in_path(text: str) -> UUID:
    """The id in a path. What is no id names nothing: NotFound."""
    sample_id = resolve(text)
    if sample_id is None:
        raise NotFound
    return sample_id


def in_query(text: str, field: str) -> UUID:
    """The id in a query parameter or body field. What is no id is Invalid, naming the field."""
    sample_id = resolve(text)
    if sample_id is None:
        raise Invalid(field=field, issue="Must be a UUID.")
    return sample_id
