"""The home of the system administrator: what needs a decision or a repair, in one list."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.desk.home import needs_you
from apps.desk.home.base import Home


class AdministratorHome(Home):
    """Needs you."""

    template = "desk/home/administrator.html"
    heading = _("Needs you")

    def content(self, request: HttpRequest) -> dict[str, Any]:
        tasks = [*needs_you.of_the_clinic(request), *needs_you.of_the_system(request)]
        return {"tasks": sorted(tasks, key=lambda task: not task.is_late)}
