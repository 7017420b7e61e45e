"""How the queue and the homes write a wait, the priority and the reason of a patient."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from apps.appointments.models import Appointment
from apps.appointments.models.appointments import Triage
from apps.appointments.queue import estimates
from apps.desk.appointments.labels import State

_REASON = 80  # characters
_TRIAGE = {
    Triage.EMERGENCY: State(_("Emergency"), "warning", "bad"),
    Triage.URGENT: State(_("Urgent"), "warning", "bad"),
}
_BANDS = {"amber": ("warn", _("long wait")), "red": ("bad", _("very long wait"))}


@dataclass(frozen=True)
class Wait:
    """How long a patient waits. A long wait has a color, a word and the limit that it passed. `full` are the minutes at the end
    of the bar."""

    minutes: int
    full: int
    color: str = ""
    word: str | Promise = ""
    limit: int | None = None

    @property
    def drawn(self) -> int:
        """Returns the length of the bar."""
        return min(self.minutes, self.full)


def wait(minutes: int, *, may_be_long: bool = True) -> Wait:
    """Returns a wait with the limits of the clinic."""
    amber, red = settings.HIMS_QUEUE_AMBER_MINUTES, settings.HIMS_QUEUE_RED_MINUTES
    band = estimates.band(minutes, amber, red) if may_be_long else ""
    color, word = _BANDS.get(band, ("", ""))
    return Wait(minutes, max(red * 3 // 2, 1), color, word, {"amber": amber, "red": red}.get(band))


def triage_tag(row: Appointment) -> State | None:
    """Returns the tag of an urgent patient; None for the others."""
    return _TRIAGE.get(Triage(row.triage))


def short_reason(row: Appointment) -> str:
    """Returns the beginning of why the patient comes, in one line."""
    return Truncator(" ".join(row.notes.split())).chars(_REASON)
