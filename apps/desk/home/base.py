"""What the home pages of all roles share: greeting, day and time, tiles, the audit row of a page that lists patients."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.views import View

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.appointments.scheduling.availability import clinic_zone
from apps.audit import services as audit
from apps.common import clock
from apps.desk.kit.site import can_open

NOON, EVENING = 12, 18  # hours at which the greeting changes


@dataclass(frozen=True)
class Tile:
    """A number with its page. `unit` follows the number, `note` is a short line below it. An alarm is past its limit: red, and
    first. Without `url` the tile is no link."""

    title: str | Promise
    value: Any
    url: str
    note: str | Promise = ""
    unit: str | Promise = ""
    is_alarm: bool = False


@dataclass(frozen=True)
class Task:
    """A line of a list of things to do: its words, its page, and what a reader should know before opening it."""

    title: str | Promise
    url: str
    note: str | Promise = ""
    is_late: bool = False


class Home(View):
    """The home page of a role. A subclass returns what is on it."""

    site: Any = None
    template = "desk/home/plain.html"
    heading: str | Promise = ""  # the greeting, if empty
    permission: Permission | None = None  # the page is refused without it, where it is more than the home of a role

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.permission is not None and not can_open(request.user, self.permission):
            raise PermissionDenied
        now = timezone.localtime(clock.now(), clinic_zone())
        page = {"title": self.heading or gettext("Home"), "heading": self.heading, "greeting": greeting(now), "now": now}
        content = self.content(request)
        content["tiles"] = sort_tiles(content.get("tiles", ()))
        return TemplateResponse(request, self.template, self.site.each_context(request) | page | content)

    def content(self, request: HttpRequest) -> dict[str, Any]:
        """Returns the values for the template, among them `tiles`."""
        return {}


def record_listing(request: HttpRequest, home: str, shown: int) -> None:
    """Audits that the user saw so many patients on the home page."""
    audit.record(by=cast("Actor", request.user), action="home.listed", door="admin", home=home, shown=shown)


def greeting(now: datetime) -> str:
    """Returns the greeting of this hour at the clinic."""
    if now.hour < NOON:
        return gettext("Good morning")
    return gettext("Good afternoon") if now.hour < EVENING else gettext("Good evening")


def sort_tiles(tiles: Iterable[Tile]) -> list[Tile]:
    """Returns the tiles with the alarms first."""
    return sorted(tiles, key=lambda tile: not tile.is_alarm)
