"""Background jobs: what runs on a schedule, and the events whose deliveries wait or failed."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View

from apps.access.actor import Actor
from apps.common import clock
from apps.common.errors import HimsError
from apps.desk.appointments import labels
from apps.desk.appointments.labels import State
from apps.desk.audit import actions
from apps.desk.events import words
from apps.desk.home.base import Tile
from apps.desk.kit.site import can_open
from apps.events import scheduled_jobs, selectors, services
from apps.events.models import Delivery
from apps.events.scheduled_jobs import ScheduledJob
from apps.rest.rights import Permission

NEED = Permission.DELIVERY_RETRY
SHOWN = 20  # failed deliveries; the list of deliveries has all
_EXACT = timedelta(minutes=1)  # a job that runs more often has no time of its next run
_LIST = "admin:events_delivery_changelist"
_DONE, _FAILED, _LATE = State(_("Done"), "done", "ok"), State(_("Failed"), "warning", "bad"), State(_("Late"), "clock", "warn")
_NEVER = State(_("Not run yet"), "clock")


class JobsView(View):
    """The page of administrators. A POST tries a failed delivery again."""

    site: Any = None

    def get(self, request: HttpRequest) -> HttpResponse:
        _check(request)
        counts = selectors.delivery_counts()
        context = {
            "title": gettext("Background jobs"),
            "now": clock.now(),
            "tiles": _tiles(counts),
            "failed": [_delivery(row) for row in selectors.failed(SHOWN)],
            "more_failed": max(counts.failed - SHOWN, 0),
            "failed_url": f"{reverse(_LIST)}?state=failed",
            "list_url": reverse(_LIST),
            "jobs": sorted((_job(one) for one in scheduled_jobs.jobs()), key=lambda job: job["rank"]),
        }
        return TemplateResponse(request, "desk/events/jobs.html", self.site.each_context(request) | context)

    def post(self, request: HttpRequest) -> HttpResponse:
        _check(request)
        try:
            services.retry_delivery(by=cast("Actor", request.user), delivery_id=UUID(request.POST.get("delivery", "")))
        except ValueError:
            messages.error(request, gettext("Choose a failed delivery below."))
        except HimsError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, gettext("The delivery is tried again within seconds."))
        return HttpResponseRedirect(reverse("admin:jobs"))


def _check(request: HttpRequest) -> None:
    if not can_open(request.user, NEED):
        raise PermissionDenied


def _tiles(counts: selectors.DeliveryCounts) -> list[Tile]:
    page = reverse(_LIST)
    since = selectors.oldest_waiting()
    note = gettext("The oldest since %(time)s") % {"time": labels.short_moment(since)} if since else ""
    return [
        Tile(gettext("Failed"), counts.failed, f"{page}?state=failed", is_alarm=counts.failed > 0),
        Tile(gettext("Waiting"), counts.waiting, f"{page}?state=waiting", note),
        Tile(gettext("Trying again"), counts.retrying, f"{page}?state=retrying"),
    ]


def _delivery(row: Delivery) -> dict[str, Any]:
    return {
        "id": row.pk,
        "url": reverse("admin:events_delivery_change", args=[row.pk]),
        "work": words.listener(row.listener),
        "event": actions.words(row.event.name),
        "at": labels.short_moment(row.event.occurred_at),
        "attempts": row.attempts,
        "error": row.last_error,
    }


def _job(job: ScheduledJob) -> dict[str, Any]:
    """Returns a line of the table. `rank` puts the jobs in trouble first."""
    name, purpose = words.job(job.name)
    last = job.last
    state = _NEVER if last is None else _FAILED if job.is_failing else _LATE if job.is_late else _DONE
    return {
        "name": name,
        "purpose": purpose,
        "every": words.interval(job.every),
        "last": labels.short_moment(last.ran_at) if last else "",
        "state": state,
        "failures": last.failures if last else 0,
        "error": last.error if last else "",
        "succeeded": labels.short_moment(last.succeeded_at) if last and job.is_failing and last.succeeded_at else "",
        "next": _next(job),
        "rank": (not job.is_failing, not job.is_late, name),
    }


def _next(job: ScheduledJob) -> str:
    if job.next_at is None:
        return ""
    return labels.short_moment(job.next_at) if job.every >= _EXACT else gettext("In seconds")
