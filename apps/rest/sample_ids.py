"""A port for names that can be used instead of ids (`patient_001` in the sandbox). Without registered names there are none."""

from collections.abc import Mapping
from uuid import UUID

from apps.common.errors import Invalid, NotFound

_names: dict[str, UUID] = {}


def register(names: Mapping[str, UUID]) -> None:
    """Registers names for ids."""
    _names.update(names)


def resolve(text: str) -> UUID | None:
    """Returns the id for a text: of a registered name, or a UUID in its 36-character form; else None."""
    if text in _names:
        return _names[text]
    if len(text) != 36:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None


def in_path(text: str) -> UUID:
    """Returns the id in a path. Raises NotFound if it is not an id."""
    sample_id = resolve(text)
    if sample_id is None:
        raise NotFound
    return sample_id


def in_query(text: str, field: str) -> UUID:
    """Returns the id in a query parameter or body field. Raises Invalid naming the field if it is not an id."""
    sample_id = resolve(text)
    if sample_id is None:
        raise Invalid(field=field, issue="Must be a UUID.")
    return sample_id
