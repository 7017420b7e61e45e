"""The menu of a role: groups of entries, each for the users who may open its page."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise

from apps.access.permissions import Permission
from apps.access.roles import Role

HOME = "admin:index"


@dataclass(frozen=True)
class Entry:
    """A page in the menu. `count` returns how much work waits there; the menu shows it unless it is 0. `query` follows the
    address, with its question mark. `also` names further pages on which the entry is marked, such as the page's other tabs."""

    label: str | Promise
    icon: str
    page: str
    permission: Permission | None = None  # None: for all staff
    count: Callable[[Any], int] | None = None
    query: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Entries under a title. The first group of a menu has none."""

    title: str | Promise
    entries: tuple[Entry, ...]


Menu = tuple[Group, ...]


def shown_menu(menus: Mapping[Role, Menu], request: HttpRequest) -> list[dict[str, Any]]:
    """Returns the groups of this user's role with the entries that the user may open (title, entries: label, icon, url, count,
    is_current)."""
    user: Any = request.user
    groups: list[dict[str, Any]] = [
        {"title": group.title, "entries": [_shown(entry, user) for entry in group.entries if _is_open(entry, user)]}
        for group in menus.get(Role(user.role), ())
    ]
    _mark_current([entry for group in groups for entry in group["entries"]], request)
    return [group for group in groups if group["entries"]]


def _is_open(entry: Entry, user: Any) -> bool:
    return entry.permission is None or user.has_permission(entry.permission)


def _shown(entry: Entry, user: Any) -> dict[str, Any]:
    return {
        "label": entry.label,
        "icon": entry.icon,
        "url": reverse(entry.page) + entry.query,
        "pages": [reverse(page) for page in (entry.page, *entry.also)],
        "count": entry.count(user) if entry.count else 0,
        "is_current": False,
    }


def _mark_current(entries: Iterable[dict[str, Any]], request: HttpRequest) -> None:
    """Marks the entry of this very address; else the one with the page whose path is the longest beginning of this path."""
    exact, home = request.get_full_path(), reverse(HOME)
    matches = [entry for entry in entries if entry["url"] == exact]
    if not matches:
        within = [
            (len(page), entry) for entry in entries for page in entry["pages"] if page != home and request.path.startswith(page)
        ]
        matches = [entry for _, entry in sorted(within, key=lambda one: one[0], reverse=True)]
    if matches:
        matches[0]["is_current"] = True
