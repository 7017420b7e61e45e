"""What an API key may see of a reply.

The permission of an action determines who may call it; a key also needs its scope (`permissions.require`). What a reply shows is
decided here: a key that may book appointments sees no patient's name without `patients:read`, and a key that may only write sees
only the id of a record. All replies pass through this module (`responses.respond`, `errors.handle`, `etags`), so an endpoint only
declares:

    class PatientShape(Serializer):
        reads = Permission.PATIENT_VIEW  # a key needs the scope of this permission to read this shape

    class QueuePlaceRow(Serializer):
        parts = {"patient_name": Permission.PATIENT_VIEW}  # the same for single fields

A shape without `reads` belongs to the shape that contains it. At the top of a reply, a read has been authorized already, and a
write needs what reading the same resource needs (the view's permission for `retrieve`, else `list`). What a key may not see is
left out: a field, or everything of an object except its ids. An `expand` that the key may not see is refused (`sparse_fields`).
Users see what their role may see, which the functions that make the rows decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rest_framework.serializers import ListSerializer, Serializer

from apps.access.permissions import Permission
from apps.rest import endpoint

_READING = ("GET", "HEAD")
# Members of warnings and of error details that belong to another resource than the view's.
_records: dict[str, Permission] = {}
_PLAIN = ("errors",)  # details that name fields and contain no data


@dataclass(frozen=True)
class Redaction:
    """What is removed from an object: everything except its ids, or these fields and parts of others."""

    to_ids: bool = False
    dropped: frozenset[str] = frozenset()
    within: tuple[tuple[str, "Redaction"], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.to_ids or self.dropped or self.within)

    def of(self, value: Any) -> Any:
        """Returns the value (an object, or a list of objects) without what is removed."""
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
    """Declares that members with these names, in warnings and error details, are records that need this permission."""
    _records.update(dict.fromkeys(names, permission))


def may_see(by: Any, need: Permission | None) -> bool:
    """Returns whether the caller's scopes allow it. Users have no scopes: their role was checked already."""
    return need is None or not getattr(by, "key_id", None) or need.scope in by.scopes


def permission_to_read(view: Any, action: str | None) -> Permission | None:
    """Returns the permission that reading the view's resource needs; None if the view declares none."""
    kind = endpoint.of(view, action).response
    needs = [getattr(kind, "reads", None), *(endpoint.of(view, name).permission for name in ("retrieve", "list", action))]
    return next((need for need in needs if isinstance(need, Permission)), None)


def visible_data(view: Any, data: Any) -> Any:
    """Returns the data of a reply as far as the key may see it; for users, unchanged."""
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
    """Returns the warnings without records that the key may not see."""
    return [_without_hidden_records(view, row) for row in rows]


def details(view: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the details of a refusal without records that the key may not see: objects and lists of objects."""
    return dict(_without_hidden_records(view, values))


def ids_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an object's `id`; without one, the ids that it contains."""
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
    """Returns what a key with these scopes may not see of a shape."""
    if (need := getattr(kind, "reads", None)) is not None and need.scope not in carried:
        return Redaction(to_ids=True)
    parts: Mapping[str, Permission] = getattr(kind, "parts", {})
    dropped = frozenset(name for name, right in parts.items() if right.scope not in carried)
    within = tuple((name, redaction) for name, inner in nested(kind).items() if (redaction := redaction_of(inner, carried)))
    return Redaction(dropped=dropped, within=within)


def nested(kind: Any) -> dict[str, Any]:
    """Returns the shapes inside a shape, by field."""
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
