"""`fields` and `expand`: the caller selects what a read returns.

    expands = {"recorder": Expansion(of="recorded_by", permission=Permission.DOCTOR_VIEW, load=colleagues)}

`fields=id,contact.phone` returns only these keys. `expand=recorder` adds to an id the object that it refers to, one level deep
and only if the caller may see it, an API key by its scopes. The reply's shape declares its name as an optional field. What the
role may not see is absent either way; an undeclared name is refused.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.http import QueryDict
from rest_framework.serializers import BaseSerializer, ListSerializer, Serializer

from apps.access.permissions import Permission
from apps.common.errors import Forbidden, Invalid
from apps.rest import endpoint
from apps.rest.permissions import require

READING = ("GET", "HEAD")
PARAMETERS = ("fields", "expand")
Tree = dict[str, "Tree"]


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """The object that the id in the field `of` refers to. `load` returns the shapes of those that the actor may see, in one
    query."""

    of: str
    permission: Permission
    load: Callable[[Any, Collection[UUID]], Mapping[UUID, Any]]


@dataclass(frozen=True)
class FieldSelection:
    """What was requested; no fields means all of them."""

    fields: Tree
    expand: tuple[str, ...]


def parameters_of(view: Any, action: str | None, method: str) -> set[str]:
    """Returns which of the two parameters an action accepts."""
    if method not in READING or endpoint.of(view, action).response is None:
        return set()
    return {"fields", "expand"} if view.expands else {"fields"}


def read(view: Any) -> FieldSelection | None:
    """Returns the selection of the request; None without one. Raises Invalid naming the parameter, Forbidden."""
    query = view.request.query_params
    if "fields" not in query and "expand" not in query:
        return None
    expand = _names(_joined(query, "expand"), "expand", list(view.expands)) if "expand" in query else ()
    for name in expand:
        if not view.by.has_permission(view.expands[name].permission):
            raise Forbidden(f"Your role may not see {name}.", field="expand")
        require(view.by, view.expands[name].permission)
    known = names_of(view.endpoint.response)
    tree = _tree(_names(_joined(query, "fields"), "fields", _paths(known))) if "fields" in query else {}
    return FieldSelection(tree | {name: {} for name in expand} if tree else tree, tuple(expand))


def expand(view: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Adds to these rows the objects that their ids refer to: one query for each expansion, independent of the number of rows."""
    for name in view.selection.expand:
        expansion = view.expands[name]
        ids = {row[expansion.of] for row in rows if row.get(expansion.of)}
        loaded = expansion.load(view.by, ids) if ids else {}
        for row in rows:
            row[name] = loaded.get(row.get(expansion.of))


def select(row: Any, tree: Tree) -> Any:
    """Returns the row with only the selected fields, in its own order."""
    if isinstance(row, list):
        return [select(one, tree) for one in row]
    if not tree or not isinstance(row, Mapping):
        return row
    return {name: select(value, tree[name]) for name, value in row.items() if name in tree}


def resource_in(view: Any, data: dict[str, Any]) -> Any:
    """Returns the resource in the data of a reply."""
    return data if view.data_key == "" else data.get(view.data_key or view.resource)


@cache
def names_of(kind: type[BaseSerializer[Any]]) -> dict[str, tuple[str, ...]]:
    """Returns the declared keys of a shape, and the keys inside each."""
    return {name: _inner(field) for name, field in kind().fields.items()} if issubclass(kind, Serializer) else {}


def _inner(field: Any) -> tuple[str, ...]:
    nested = field.child if isinstance(field, ListSerializer) else field
    return tuple(nested.fields) if isinstance(nested, Serializer) else ()


def _paths(known: Mapping[str, Sequence[str]]) -> list[str]:
    return [*known, *(f"{name}.{inner}" for name, inside in known.items() for inner in inside)]


def _joined(query: QueryDict, parameter: str) -> str:
    return ",".join(query.getlist(parameter))


def _names(text: str, parameter: str, known: Collection[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in known]
    if unknown:
        issue = f"Unknown: {unknown[0][:40]!r}. Known: {', '.join(known)}."
        raise Invalid(field=parameter, issue=issue)
    return names


def _tree(paths: Sequence[str]) -> Tree:
    """Returns the tree of the paths: `a` whole, or of `b` only `b.c`. If both `b` and `b.c` are requested, `b` is whole."""
    tree: Tree = {}
    for name, _, inner in (path.partition(".") for path in sorted(paths, key=lambda path: "." not in path)):
        if not inner:
            tree[name] = {}
        else:
            tree.setdefault(name, {})[inner] = {}
    return tree
