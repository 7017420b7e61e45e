"""What a write commits when it is refused, and when it fails."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from rest_framework import exceptions as drf

from apps.common import clock
from apps.common.errors import Conflict, HimsError, Invalid, Unavailable
from apps.rest.models import SignInTry
from apps.rest.transactions import commit_despite_refusal

pytestmark = pytest.mark.django_db


def act(error: Exception | None) -> HttpResponse:
    def handler() -> HttpResponse:
        SignInTry.objects.create(key="on purpose", at=clock.now())
        if error is not None:
            with transaction.atomic():
                SignInTry.objects.create(key="of the service", at=clock.now())
                raise error
        return HttpResponse(status=200)

    return commit_despite_refusal(handler)


def kept() -> list[str]:
    return [row.key for row in SignInTry.objects.all()]


def test_a_success_is_committed() -> None:
    assert act(None).status_code == 200
    assert kept() == ["on purpose"]


@pytest.mark.parametrize(
    "error",
    [Conflict(), Invalid(), drf.ValidationError("no"), drf.NotFound(), Http404(), PermissionDenied()],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_keeps_what_was_written_before_the_service(error: Any) -> None:
    with pytest.raises(type(error)):
        act(error)
    assert kept() == ["on purpose"]


@pytest.mark.parametrize(
    "error",
    [HimsError(), Unavailable(), drf.APIException(), ZeroDivisionError(), KeyError("x")],
    ids=lambda error: type(error).__name__,
)
def test_a_failure_keeps_nothing(error: Any) -> None:
    with pytest.raises(type(error)):
        act(error)
    assert kept() == []
