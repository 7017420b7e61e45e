"""Mail in the patient's language, to a real mail server."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as configured

from apps.accounts.models import User
from apps.appointments import services
from apps.appointments.services import NewAppointment
from apps.common import clock
from apps.events import relay
from apps.notifications.mail import mailer
from apps.notifications.mail.mailer import Recipient
from apps.notifications.tests import receiver
from apps.notifications.tests.receiver import Receiver
from apps.patients.tests.factories import register_patient

KINDS = ("booked", "changed", "cancelled", "offer")
GREETING = {"en": "Hello,", "es": "Hola:", "ar": "مرحبًا،"}


def composed(kind: str, language: str) -> Any:
    to = Recipient(key=uuid4(), address="x@home.example", language=language)
    return mailer.compose(to=to, template=f"appointment_{kind}", context={}, event_id=None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        ("en", "en"),
        ("es", "es"),
        ("es-MX", "es"),
        ("ES", "es"),
        ("ar", "ar"),
        ("ar-EG", "ar"),
        ("", "en"),
        ("fr", "en"),
        ("../x", "en"),
    ],
)
def test_a_patient_is_written_to_in_a_language_that_is_translated(kind: str, language: str, spoken: str) -> None:
    assert composed(kind, language).body.startswith(GREETING[spoken])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["es", "ar"])
def test_a_translation_says_which_number_to_call_and_no_more(settings: Any, kind: str, language: str) -> None:
    settings.CLINIC_PHONE, settings.CLINIC_NAME = "(213) 555-0142", "Harbour Clinic"
    written = composed(kind, language)
    assert "(213) 555-0142" in written.body
    assert "Harbour Clinic" in written.subject
    assert "{" not in written.body
    settings.CLINIC_PHONE = ""
    assert "555" not in composed(kind, language).body


def test_each_mail_to_patients_has_its_translations() -> None:
    folder = Path(configured.BASE_DIR) / "templates" / "emails"
    to_patients = {path.name for path in folder.glob("appointment_*.txt")}
    assert to_patients == {f"appointment_{kind}.txt" for kind in KINDS}
    for language in ("es", "ar"):
        assert {path.name for path in (folder / language).glob("*.txt")} == to_patients


@pytest.mark.django_db
def test_a_booking_is_mailed_in_the_patients_language(settings: Any, staff: dict[str, User]) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", receiver.free_port()
    ana = register_patient("Ana", "García", email="ana@home.example", language="es-MX")
    layla = register_patient("Layla", "Haddad", email="layla@home.example", language="ar")
    for place, patient in enumerate((ana, layla)):
        visit = NewAppointment(
            patient_id=patient.pk, doctor_id=staff["doctor"].pk, scheduled_time=clock.now() + timedelta(days=3, hours=place)
        )
        services.book(by=staff["receptionist"], new=visit)
    with receiver.open_at(settings.EMAIL_PORT, Receiver()) as server:
        for turn in relay.claim_waiting():
            relay.deliver(turn.delivery_id, turn.attempt)
    texts = {one["To"]: one.get_content() for one in server.taken}
    assert "Se han reservado" in texts["ana@home.example"]
    assert "تم حجز" in texts["layla@home.example"]
