"""How the entries of the audit log are written on pages: who, what, why and from where, in words."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.roles import Role
from apps.audit.models import AuditEvent
from apps.common import clinic_times, clock
from apps.desk.appointments.labels import State
from apps.desk.audit import actions
from apps.desk.kit.links import openable
from apps.desk.kit.role_names import ROLE_NAMES

_LIST = "admin:audit_auditevent_changelist"
_GLASS = "break_glass"  # the purpose of what is read under emergency access
OUTCOMES = {"success": _("Done"), "denied": _("Refused"), "failure": _("Failed")}
_TAGS = {"denied": State(_("Refused"), "cancel", "bad"), "failure": State(_("Failed"), "warning", "warn")}
_OTHERS = {"system": _("The system"), "patient": _("Patient"), "": _("Not signed in")}
_DETAILS = {  # what the details of an entry are called; others are left out
    "api_key": _("API key"),
    "changes": _("Changed"),
    "home": _("Home page"),
    "method": _("Method"),
    "path": _("Page"),
    "query": _("Searched for"),
    "reason": _("Reason"),
    "rows": _("Rows"),
    "shown": _("Rows shown"),
    "status": _("Status"),
}
_SEARCH = "query"  # what was searched for
_REASONS = {"signed_out": _("Signed out")}  # codes of reasons


def text_of(row: Any) -> dict[str, Any]:
    """Returns an entry for the template. `people.name` has set the names."""
    tags = [State(_("Emergency access"), "lock", "warn")] if row.purpose == _GLASS else []
    tags += [_TAGS[row.outcome]] if row.outcome in _TAGS else []
    tags += [State(_("App"), "code", "info")] if row.detail.get("api_key") else []
    return {
        "url": reverse("admin:audit_auditevent_change", args=[row.pk]),
        "time": exact_time(row.at),
        "person": person(row),
        "role": role(row) if row.user_id else "",
        "key": row.detail.get("api_key", ""),
        "record": row.patient_name,
        "what": actions.words(row.action),
        "tags": tags,
        "purpose": "" if row.purpose == _GLASS else purpose(row),
        "origin": origin(row),
    }


def exact_time(at: datetime) -> str:
    """Returns the time with seconds; with the day unless it is today's."""
    here = clinic_times.local(at)
    time = f"{here:%H:%M:%S}"
    return time if here.date() == clock.today() else f"{clinic_times.day(here)}, {time}"


def person(row: Any) -> str:
    """Returns who acted."""
    return getattr(row, "user_name", "") or str(_OTHERS["system" if row.role == "system" else ""])


def role(row: AuditEvent) -> str:
    """Returns the role in which they acted."""
    return str(ROLE_NAMES[Role(row.role)] if row.role in set(ROLE_NAMES) else _OTHERS.get(row.role, row.role))


def purpose(row: AuditEvent) -> str:
    """Returns why, if not for the care of the patient or the work of the clinic."""
    return gettext("Emergency access") if row.purpose == _GLASS else row.purpose.replace("_", " ").capitalize()


def origin(row: AuditEvent) -> str:
    """Returns from where: the network address, and whether through the desk."""
    where = [gettext("Desk")] if row.detail.get("door") == "admin" else []
    return ", ".join([*where, *([row.ip] if row.ip else [])])


def further(row: AuditEvent, *, sees_searches: bool) -> SafeString:
    """Returns what else the entry has, without ids. The text of a search may name patients that the reader may not know of."""
    shown = {name: value for name, value in row.detail.items() if name in _DETAILS and (sees_searches or name != _SEARCH)}
    lines = [(_DETAILS[name], text) for name, value in shown.items() if (text := _text(value))]
    body = format_html_join("", "<li>{}: <bdi>{}</bdi></li>", lines)
    return format_html('<ul class="rows">{}</ul>', body) if lines else SafeString("")


def chips(request: HttpRequest) -> list[dict[str, Any]]:
    """Returns the quick choices above the list; each keeps the other filters."""
    kept = request.GET.copy()
    for name in ("p", "outcome__exact"):
        kept.pop(name, None)
    present = request.GET.get("outcome__exact", "")
    return [_chip(word, kept, outcome, is_current=outcome == present) for word, outcome in _CHOICES]


_CHOICES = ((_("All"), ""), (_("Refused"), "denied"), (_("Failed"), "failure"))


def glass_url(request: HttpRequest) -> str:
    """Returns the page with the emergency accesses to review; empty for readers who do not review them."""
    page = reverse("admin:patients_breakglass_changelist")
    return f"{page}?review=waiting" if page in openable(request, [page]) else ""


def _chip(word: Any, kept: Any, outcome: str, *, is_current: bool) -> dict[str, Any]:
    query = kept.copy()
    if outcome:
        query["outcome__exact"] = outcome
    return {"label": word, "url": f"?{query.urlencode()}", "is_current": is_current}


def _text(value: Any) -> str:
    return ", ".join(_parts(value))


def _parts(value: Any) -> Iterator[str]:
    """Yields the plain values within a detail, but no ids."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)
    elif value not in (None, "") and not _is_id(str(value)):
        yield str(_REASONS.get(value, value))


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
