"""The seeds of two-step sign-in when keys join and leave the ring."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts import services
from apps.accounts.models import Session, TotpDevice, User
from apps.accounts.tests.authenticator import code, enable_totp
from apps.accounts.tests.factories import PASSWORD, api_client, hire

pytestmark = pytest.mark.django_db
OLD, NEW = "the key of the years before " * 2, "the key of this year " * 2


@pytest.fixture(autouse=True)
def still_clock(time_machine: Any) -> None:
    """A code is made and used within one half minute."""
    time_machine.move_to(timezone.now(), tick=False)


@pytest.fixture
def user(settings: Any) -> User:
    """Has a seed encrypted with the old key; the ring has a newer one too."""
    settings.HIMS_KEY_RING = [OLD]
    user = enable_totp(hire())
    settings.HIMS_KEY_RING = [NEW, OLD]
    return user


def login(user: User, **more: Any) -> Any:
    return api_client().post("/auth/login", {"username": user.username, "password": PASSWORD, **more})


def test_an_accepted_code_encrypts_the_seed_with_the_newest_key(user: User, settings: Any) -> None:
    assert login(user, mfa_code=code(steps=-1)).status_code == 200
    settings.HIMS_KEY_RING = [NEW]
    assert login(user, mfa_code=code()).status_code == 200


def test_the_command_encrypts_every_seed_with_the_newest_key(user: User, settings: Any) -> None:
    shown = StringIO()
    call_command("reseal_seeds", stdout=shown)
    assert shown.getvalue() == "Encrypted 1 seeds with the newest key.\n"
    settings.HIMS_KEY_RING = [NEW]
    assert login(user, mfa_code=code()).status_code == 200


def test_the_command_names_seeds_that_no_key_decrypts_and_leaves_them(user: User, settings: Any) -> None:
    settings.HIMS_KEY_RING = [NEW]
    before = bytes(TotpDevice.objects.get().sealed_seed)
    with pytest.raises(CommandError, match="decrypts 1 seeds"):
        call_command("reseal_seeds", stdout=StringIO())
    assert bytes(TotpDevice.objects.get().sealed_seed) == before


def test_a_seed_that_no_key_decrypts_refuses_the_code_and_a_recovery_code_still_works(user: User, settings: Any) -> None:
    codes = services.renew_recovery_codes(by=user)
    settings.HIMS_KEY_RING = [NEW]
    refused = login(user, mfa_code=code())
    assert refused.status_code == 401
    assert refused.json()["error"]["details"]["issue"] == "mfa_invalid"
    assert "Use a recovery code" in refused.json()["error"]["message"]
    assert not Session.objects.exists()
    assert login(user, mfa_code=codes[0]).status_code == 200
