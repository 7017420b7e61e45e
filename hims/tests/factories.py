"""The ward's cast for tests that cross floors: the apps' own factories, gathered."""

from apps.accounts.tests.authenticator import code, enable_totp
from apps.accounts.tests.factories import (
    NPI,
    PASSWORD,
    ApiClient,
    api_client,
    api_key_client,
    browser,
    create_api_key,
    create_staff,
    hire,
)
from apps.appointments.tests.factories import at, book, book_and_check_in, publish, room
from apps.consultations.tests.factories import booked, fill, signed, start_consultation
from apps.patients.tests.factories import chart, merge, register_patient, restrict

__all__ = [
    "NPI",
    "PASSWORD",
    "ApiClient",
    "api_client",
    "api_key_client",
    "at",
    "book",
    "book_and_check_in",
    "booked",
    "browser",
    "chart",
    "code",
    "create_api_key",
    "create_staff",
    "enable_totp",
    "fill",
    "hire",
    "merge",
    "publish",
    "register_patient",
    "restrict",
    "room",
    "signed",
    "start_consultation",
]
