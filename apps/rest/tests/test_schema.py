"""The OpenAPI file's own pieces; the file as a whole is tried in `hims/tests/test_contract.py`."""

from typing import Any

import pytest
from django import forms
from django_filters import (
    BooleanFilter,
    CharFilter,
    ChoiceFilter,
    DateFilter,
    FilterSet,
    IsoDateTimeFilter,
    NumberFilter,
    UUIDFilter,
)
from rest_framework.response import Response

from apps.access import permissions
from apps.access.roles import CLINICAL, EVERYONE, STAFF, Role
from apps.access.scopes import Scope
from apps.common import errors
from apps.rest.endpoint import PUBLIC, endpoint
from apps.rest.schema import HimsSchema, hooks, parameters, replies
from apps.rest.viewsets import HimsViewSet


class ColourFilter(FilterSet):
    name = CharFilter(max_length=10, help_text="Its name")
    shade = ChoiceFilter(choices=[("dark", "dark"), ("light", "light")])
    mixed = BooleanFilter()
    seen_on = DateFilter()
    seen_at = IsoDateTimeFilter()
    weight = NumberFilter()
    owner = UUIDFilter()


class ColourPermission(permissions.Permission):
    """Rights of an app that exists in these tests alone."""

    COLOUR_VIEW = "colour.view", {Role.ADMIN}
    COLOUR_MIX = "colour.mix", EVERYONE
    COLOUR_CHANGE = "colour.change", CLINICAL, Scope.HISTORY_WRITE, permissions.ADMIN_IF_CLINICAL


class ColourViewSet(HimsViewSet):
    """Colours."""

    resource = "colour"
    plural = "colours"

    @endpoint(permission=PUBLIC)
    def look(self, request: Any) -> Response:
        """Look at it

        Closely."""
        return self.ok({})

    @endpoint(permission=ColourPermission.COLOUR_VIEW)
    def list(self, request: Any) -> Response:
        return self.ok({})

    @endpoint(permission=ColourPermission.COLOUR_MIX)
    def create(self, request: Any) -> Response:
        return self.ok({})

    @endpoint(permission=ColourPermission.COLOUR_CHANGE, request=object, warnings=("too_bright",))
    def update(self, request: Any) -> Response:
        return self.ok({})

    partial_update = update

    @endpoint(permission=PUBLIC, operation_id="behold")
    def sight(self, request: Any) -> Response:
        return self.ok({})


class OneColourViewSet(ColourViewSet):
    """The list is one thing, not a page."""

    data_key = ""

    @endpoint(permission=ColourPermission.COLOUR_VIEW, paged=False)
    def list(self, request: Any) -> Response:
        return self.ok({})


def described(action: str, method: str = "GET", *, kind: type[HimsViewSet] = ColourViewSet) -> HimsSchema:
    """The schema of one action, as the generator would set it up."""
    view = kind()
    view.action = action
    schema = HimsSchema()
    schema.view, schema.method, schema.path = view, method, "/colours"
    return schema


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("name", {"type": "string", "minLength": 1, "maxLength": 10}),
        ("shade", {"type": "string", "enum": ["dark", "light"]}),
        ("mixed", {"type": "boolean"}),
        ("seen_on", {"type": "string", "format": "date"}),
        ("seen_at", {"type": "string", "format": "date-time"}),
        ("weight", {"type": "number"}),
        ("owner", {"type": "string"}),
    ],
)
def test_a_filter_is_described_by_what_it_reads(name: str, schema: dict[str, Any]) -> None:
    result = next(one for one in parameters.of_filters(ColourFilter) if one["name"] == name)
    assert result["schema"] == schema
    assert result["in"] == "query"
    assert not result["required"]


def test_a_search_may_be_blank_and_another_text_may_not() -> None:
    assert parameters._schema(forms.CharField(max_length=5), may_be_blank=True) == {"type": "string", "maxLength": 5}
    assert parameters._schema(forms.CharField(max_length=5)) == {"type": "string", "minLength": 1, "maxLength": 5}
    assert parameters._schema(forms.IntegerField(min_value=5, max_value=480)) == {"type": "integer", "minimum": 5, "maximum": 480}


def test_a_filter_of_an_unknown_kind_is_described_as_text() -> None:
    assert parameters._schema(forms.Field()) == {"type": "string", "minLength": 1}


def test_the_offset_is_described_only_where_it_is_read() -> None:
    assert [one["name"] for one in parameters.of_pages(offset_allowed=False)] == ["page", "limit"]
    assert [one["name"] for one in parameters.of_pages(offset_allowed=True)] == ["page", "limit", "offset"]


@pytest.mark.parametrize(
    ("kind", "action", "name"),
    [
        (ColourViewSet, "list", "listColours"),
        (OneColourViewSet, "list", "getColour"),
        (ColourViewSet, "create", "createColour"),
        (ColourViewSet, "partial_update", "patchColour"),
        (ColourViewSet, "look", "lookColour"),
        (OneColourViewSet, "look", "look"),
        (ColourViewSet, "sight", "behold"),
    ],
)
def test_an_operation_is_named_by_verb_and_noun(kind: type[HimsViewSet], action: str, name: str) -> None:
    assert described(action, kind=kind).get_operation_id() == name


def test_the_summary_is_the_first_line_of_the_action_s_docstring() -> None:
    assert described("look").get_summary() == "Look at it"
    assert described("list").get_summary() == "List colours"


def test_the_description_says_who_may_and_what_may_warn() -> None:
    assert "**Who:** admin (permission `colour.view`)." in described("list").get_description()
    assert "all staff" in described("create", "POST").get_description()
    assert "HIMS_ADMIN_CLINICAL" in described("update", "PUT").get_description()
    assert "`too_bright`" in described("partial_update", "PATCH").get_description()
    assert "all callers" in described("look").get_description()


def test_what_is_public_asks_for_no_token() -> None:
    assert described("look").get_auth() == []
    assert described("list").get_auth() == [{"bearerAuth": []}]
    assert "x-roles" not in described("look").get_extensions()
    assert described("create", "POST").get_extensions()["x-roles"] == [role.value for role in STAFF]


def test_only_what_can_occur_is_described() -> None:
    look = replies.refusals(described("look").view, "GET", "/colours")
    update = replies.refusals(described("update", "PUT").view, "PUT", "/colours/{pk}")
    assert not {errors.Forbidden, errors.NotFound, errors.Conflict, errors.UnsupportedMediaType} & set(look)
    assert {errors.Forbidden, errors.NotFound, errors.Conflict, errors.UnsupportedMediaType} <= set(update)
    assert errors.MethodNotAllowed not in update
    listed = replies.refusals(described("list").view, "GET", "/colours")
    assert errors.Forbidden in listed
    assert not {errors.Conflict, errors.NotFound, errors.IdempotencyMismatch, errors.PreconditionFailed} & set(listed)


def test_a_choice_that_may_be_blank_is_one_list() -> None:
    schemas: dict[str, Any] = {
        "Shade": {"type": "string", "enum": ["dark"]},
        "BlankEnum": {"enum": [""]},
        "Colour": {
            "properties": {
                "shade": {"oneOf": [{"$ref": "#/components/schemas/Shade"}, {"$ref": "#/components/schemas/BlankEnum"}]}
            }
        },
    }
    result = hooks.allow_blank({"components": {"schemas": schemas}})["components"]["schemas"]
    assert result == {
        "Colour": {"properties": {"shade": {"$ref": "#/components/schemas/ShadeOrBlank"}}},
        "ShadeOrBlank": {"type": "string", "enum": ["dark", ""]},
    }
