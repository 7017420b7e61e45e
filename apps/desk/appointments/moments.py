"""Days and times that addresses and forms name. A year that the API refuses is a slip here too: 0026, 9999."""

from datetime import date, datetime

from apps.rest import serializers


def instant(text: str) -> datetime | None:
    """Returns the instant that an address or a button names; None for other text. In an address a plus is read as a space."""
    return serializers.instant(text.replace(" ", "+"))


def is_slip(day: date) -> bool:
    """Returns whether no appointment can be in the year of this day."""
    return not serializers.is_plausible(day)
