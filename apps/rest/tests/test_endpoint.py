"""The declaration of an operation on its method."""

from typing import Any

import pytest
from django_filters import CharFilter, FilterSet

from apps.rest import endpoint as endpoints
from apps.rest.endpoint import CLOSED, PUBLIC, Endpoint, endpoint
from apps.rest.models import KeptReply
from apps.rest.paging import CursorFilter
from apps.rest.tests.callers import LampPermission


class ByNumber(FilterSet):
    name = CharFilter()

    class Meta:
        model = KeptReply
        fields: list[str] = []


class ByCursor(ByNumber):
    cursor = CursorFilter()


class Lamps:
    @endpoint(permission=LampPermission.LAMP_VIEW, query=ByCursor)
    def list(self) -> None: ...

    @endpoint(permission=LampPermission.LAMP_SWITCH)
    def create(self) -> None: ...

    @endpoint(permission=PUBLIC, query=ByNumber)
    def retrieve(self) -> None: ...

    @endpoint(permission=LampPermission.LAMP_SWITCH, creates=True)
    def duplicate(self) -> None: ...

    def forgotten(self) -> None: ...

    extra = {"forgotten": True}


class UnusualLamps:
    @endpoint(permission=PUBLIC, paged=False)
    def list(self) -> None: ...

    @endpoint(permission=PUBLIC, creates=False)
    def create(self) -> None: ...


@pytest.mark.parametrize(
    ("view", "action", "creates", "paged", "takes_cursor"),
    [
        (Lamps, "list", False, True, True),
        (Lamps, "create", True, False, False),
        (Lamps, "retrieve", False, False, False),
        (Lamps, "duplicate", True, False, False),
        (UnusualLamps, "list", False, False, False),
        (UnusualLamps, "create", False, False, False),
    ],
)
def test_an_operation_is_what_its_name_says_unless_it_declares_otherwise(
    view: Any, action: str, creates: bool, paged: bool, takes_cursor: bool
) -> None:
    declared = endpoints.of(view, action)
    assert (declared.creates, declared.paged, declared.takes_cursor) == (creates, paged, takes_cursor)


@pytest.mark.parametrize("action", ["forgotten", "extra", "nothing_of_the_kind", "", None])
def test_a_method_without_a_declaration_is_closed(action: str | None) -> None:
    assert endpoints.of(Lamps, action) is CLOSED
    assert CLOSED.permission is None


def test_the_declarations_of_a_class_and_of_its_views_are_the_same() -> None:
    assert set(endpoints.all_of(Lamps)) == set(endpoints.all_of(Lamps())) == {"list", "create", "retrieve", "duplicate"}
    assert endpoints.all_of(Lamps)["retrieve"] is endpoints.of(Lamps(), "retrieve")


def test_a_declaration_with_an_unknown_field_is_refused_when_the_app_loads() -> None:
    with pytest.raises(TypeError, match="permision"):
        endpoint(permision=PUBLIC)(lambda self: None)


def test_a_declaration_is_not_changed_afterwards() -> None:
    with pytest.raises(AttributeError):
        Endpoint().permission = PUBLIC  # type: ignore[misc]
