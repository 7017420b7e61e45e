"""How often the appointments of a repeat booking take place, in words."""

from django.utils.dates import WEEKDAYS
from django.utils.text import get_text_list
from django.utils.translation import gettext, ngettext

from apps.appointments.scheduling.recurrence import Frequency, Rhythm
from apps.desk.appointments.series_forms import POSITIONS


def words(rhythm: Rhythm) -> str:
    """Returns how often: "every 2 weeks on Tuesday", "every month on the last day"."""
    often = _often(rhythm)
    days = get_text_list([str(WEEKDAYS[day]) for day in sorted(rhythm.by_weekday)], gettext("and"))
    if rhythm.by_month_day == -1:
        return gettext("%(often)s on the last day") % {"often": often}
    if rhythm.by_month_day is not None:
        return gettext("%(often)s on day %(day)s") % {"often": often, "day": rhythm.by_month_day}
    if rhythm.by_set_position is not None:
        which = str(dict(POSITIONS)[rhythm.by_set_position])
        return gettext("%(often)s on the %(which)s %(days)s") % {"often": often, "which": which, "days": days}
    return gettext("%(often)s on %(days)s") % {"often": often, "days": days} if days else often


def _often(rhythm: Rhythm) -> str:
    number = rhythm.interval
    if number == 1:
        return {
            Frequency.DAILY: gettext("every day"),
            Frequency.WEEKLY: gettext("every week"),
            Frequency.MONTHLY: gettext("every month"),
        }[rhythm.frequency]
    several = {
        Frequency.DAILY: ngettext("every %(number)s day", "every %(number)s days", number),
        Frequency.WEEKLY: ngettext("every %(number)s week", "every %(number)s weeks", number),
        Frequency.MONTHLY: ngettext("every %(number)s month", "every %(number)s months", number),
    }
    return several[rhythm.frequency] % {"number": number}
