"""How long the kit's own rows are stored."""

from datetime import timedelta

import pytest

from apps.common import clock, retention
from apps.rest.models import SignInTry


@pytest.mark.django_db
def test_an_attempt_to_sign_in_is_stored_for_an_hour() -> None:
    (rule,) = [rule for rule in retention.rules() if rule.name == "sign_in_tries"]
    before = clock.now()
    old, new = (SignInTry.objects.create(key="a", at=before + timedelta(seconds=one)) for one in (-1, 1))
    SignInTry.objects.create(key="a", at=before)
    assert rule.keep() == timedelta(hours=1)
    assert list(rule.expired(before)) == [old]
    assert new not in rule.expired(before)
