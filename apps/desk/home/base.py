"""What the home pages of all roles share: greeting, day and time, tiles."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.views import View

from apps.appointments.scheduling.availability import clinic_zone
from apps.common import clock

NOON, EVENING = 12, 18  # hours at which the greeting changes


@dataclass(frozen=True)
class Tile:
    """A number with its page. `note` is a short line below it. An alarm is past its limit: red, and first."""

    title: str | Promise
    value: Any
    url: str
    note: str | Promise = ""
    is_alarm: bool = False


class Home(View):
    """The home page of a role. A subclass returns what is on it."""

    site: Any = None
    template = "desk/home/plain.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        now = timezone.localtime(clock.now(), clinic_zone())
        context = {**self.site.each_context(request), "title": gettext("Home"), "greeting": greeting(now), "now": now}
        return TemplateResponse(
            request, self.template, context | {"tiles": sort_tiles(self.tiles(request))} | self.content(request)
        )

    def tiles(self, request: HttpRequest) -> Iterable[Tile]:
        """Returns the numbers at the top."""
        return ()

    def content(self, request: HttpRequest) -> dict[str, Any]:
        """Returns further values for the template."""
        return {}


def greeting(now: datetime) -> str:
    """Returns the greeting of this hour at the clinic."""
    if now.hour < NOON:
        return gettext("Good morning")
    return gettext("Good afternoon") if now.hour < EVENING else gettext("Good evening")


def sort_tiles(tiles: Iterable[Tile]) -> list[Tile]:
    """Returns the tiles with the alarms first."""
    return sorted(tiles, key=lambda tile: not tile.is_alarm)
