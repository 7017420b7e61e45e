"""The first administrator."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.accounts import services
from apps.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
NAMED = {"username": "chief", "email": "chief@hims.test", "first_name": "Chief", "last_name": "One"}


def test_the_first_administrator_is_hired_and_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIMS_ADMIN_PASSWORD", "correct horse battery staple")
    call_command("createsuperuser", **NAMED, stdout=StringIO())
    assert services.authenticate("chief", "correct horse battery staple").role == "admin"
    assert AuditEvent.objects.get(action="staff.hired").role == "system"


def test_a_weak_password_makes_no_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIMS_ADMIN_PASSWORD", "password")
    with pytest.raises(CommandError, match="password: "):
        call_command("createsuperuser", **NAMED, stdout=StringIO())
