"""The ward's cast for tests that cross floors: the apps' own factories, gathered."""

from apps.accounts.tests.authenticator import code, equip
from apps.accounts.tests.factories import NPI, PASSWORD, Caller, browser, caller, hire, hire_ward, key_of, program
from apps.appointments.tests.factories import at, book, come, publish, room
from apps.consultations.tests.factories import booked, fill, signed, visit_of
from apps.patients.tests.factories import admit, chart, merge, restrict

__all__ = [
    "NPI",
    "PASSWORD",
    "Caller",
    "admit",
    "at",
    "book",
    "booked",
    "browser",
    "caller",
    "chart",
    "code",
    "come",
    "equip",
    "fill",
    "hire",
    "hire_ward",
    "key_of",
    "merge",
    "program",
    "publish",
    "restrict",
    "room",
    "signed",
    "visit_of",
]
