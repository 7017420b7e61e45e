"""What an API key may see of a reply.

The permission of an action says who may act; a key needs its scope to get in (`permissions.require`). What a reply shows is a
question of its own: a key that may book appointments sees no patient's name without `patients:read`, and one that may only write
sees no more of a record than its id. All replies pass here (`responses.respond`, `errors.handle`, `etags`), so an endpoint
declares and never asks:

    class PatientShape(Serializer):
        reads = Permission.PATIENT_VIEW  # whoever reads this shape needs that right's scope

    class QueuePlaceRow(Serializer):
        parts = {"patient_name": Permission.PATIENT_VIEW}  # the same for single fields

A shape without `reads` belongs to what it stands in. At the top of a reply, a read has asked at the door already, and a write
asks for what reading the same resource takes (the view's need for `retrieve`, else `list`). What a key may not see is left out:
a field, or all of an object but its ids. What is asked for by name (`expand`) is refused (`sparse_fields`). People see what
their role may see, which the shapes' own functions decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rest_framework.serializers import ListSerializer, Serializer

from apps.access.permissions import Permission
from apps.rest import endpoint

_READING = ("GET", "HEAD")
# Members of warnings and of error details that are of another resource than the view's, wherever they stand.
_records: dict[str, Permission] = {}
_PLAIN = ("errors",)  # details that name fields, and hold no data


@dataclass(frozen=True)
class Redaction:
    """What is taken from an object: all but its ids, or these fields, and parts of these."""

    to_ids: bool = False
    dropped: frozenset[str] = frozenset()
    within: tuple[tuple[str, "Redaction"], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.to_ids or self.dropped or self.within)

    def of(self, value: Any) -> Any:
        """The value (an object, or a list of them) without what is cut."""
        if isinstance(value, list | tuple):
            return [self.of(one) for one in value]
        if not isinstance(value, Mapping):
            return value
        if self.to_ids:
            return ids_of(value)
        inner = dict(self.within)
        kept = ((name, one) for name, one in value.items() if name not in self.dropped)
        return {name: inner[name].of(one) if name in inner else one for name, one in kept}


def register_records(permission: Permission, *names: str) -> None:
    """Declare that members of these names, in warnings and error details, are records that take this right to be read."""
    _records.update(dict.fromkeys(names, permission))


def may_see(by: Any, need: Permission | None) -> bool:
    """Whether the caller's scopes allow it. People have no scopes: their role was checked already."""
    return need is None or not getattr(by, "key_id", None) or need.scope in by.scopes


def permission_to_read(view: Any, action: str | None) -> Permission | None:
    """The right that seeing the view's resource takes; None where nothing but the need of the action itself is declared."""
    kind = endpoint.of(view, action).response
    needs = [getattr(kind, "reads", None), *(endpoint.of(view, name).permission for name in ("retrieve", "list", action))]
    return next((need for need in needs if isinstance(need, Permission)), None)


def visible_data(view: Any, data: Any) -> Any:
    """The data of a reply as far as the caller may see it; for people, the data as they are."""
    redaction = _redaction(view)
    if not redaction or not isinstance(data, Mapping):
        return data
    if view.endpoint.paged:
        return {**data, view.plural: redaction.of(data[view.plural])}
    if view.data_key == "":
        return redaction.of(data)
    key = view.data_key or view.resource
    return {**data, key: redaction.of(data[key])} if key in data else data


def warnings(view: Any, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Warnings without the records they point at, where the caller may not see those."""
    return [_without_hidden_records(view, row) for row in rows]


def details(view: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The details of a refusal, likewise: records stand in it as objects and as lists of objects."""
    return dict(_without_hidden_records(view, values))


def ids_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """An object by its `id`; one without, by the ids it names."""
    return {"id": row["id"]} if "id" in row else {name: value for name, value in row.items() if name.endswith("_id")}


def _redaction(view: Any) -> Redaction | None:
    by = _caller(view)
    kind = view.endpoint.response if by else None
    if by is None or kind is None:
        return None
    if view.request.method not in _READING and not may_see(by, permission_to_read(view, view.action)):
        return Redaction(to_ids=True)
    return redaction_of(kind, by.scopes)


@lru_cache(maxsize=2_000)
def redaction_of(kind: Any, carried: frozenset[str]) -> Redaction:
    """What a key with these scopes may not see of a shape."""
    if (need := getattr(kind, "reads", None)) is not None and need.scope not in carried:
        return Redaction(to_ids=True)
    parts: Mapping[str, Permission] = getattr(kind, "parts", {})
    dropped = frozenset(name for name, right in parts.items() if right.scope not in carried)
    within = tuple((name, redaction) for name, inner in nested(kind).items() if (redaction := redaction_of(inner, carried)))
    return Redaction(dropped=dropped, within=within)


def nested(kind: Any) -> dict[str, Any]:
    """The shapes that stand in a shape, by field."""
    if not issubclass(kind, Serializer):
        return {}
    inner = {name: field.child if isinstance(field, ListSerializer) else field for name, field in kind().fields.items()}
    return {name: type(field) for name, field in inner.items() if isinstance(field, Serializer)}


def _without_hidden_records(view: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
    by = _caller(view)
    if by is None:
        return values
    need = permission_to_read(view, view.action)
    return {name: value for name, value in values.items() if not _is_record(name, value) or may_see(by, _records.get(name, need))}


def _is_record(name: str, value: Any) -> bool:
    if name in _PLAIN:
        return False
    return isinstance(value, Mapping) or (isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value))


def _caller(view: Any) -> Any:
    """Returns the calling API key; None for people and for callers who are not authenticated."""
    by = getattr(getattr(view, "request", None), "_user", None)
    return by if getattr(by, "key_id", None) and hasattr(view, "endpoint") else None
