"""Parameters that take several values: repeated, or separated by commas."""

from typing import Any

import pytest
from django.http import QueryDict
from django_filters import CharFilter, FilterSet

from apps.common.errors import Invalid
from apps.rest import filters
from apps.rest.filters import ChoicesFilter
from apps.rest.models import KeptReply
from apps.rest.schema import parameters


class ShadeFilter(FilterSet):
    shade = ChoicesFilter(choices=[("dark", "dark"), ("light", "light"), ("grey", "grey")], help_text="Colours of this shade")
    name = CharFilter(help_text="Its name")

    class Meta:
        model = KeptReply
        fields: list[str] = []


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("shade=dark", ["dark"]),
        ("shade=dark&shade=grey", ["dark", "grey"]),
        ("shade=grey,dark", ["grey", "dark"]),
        ("shade=grey, dark&shade=dark", ["grey", "dark"]),
    ],
)
def test_each_value_that_was_sent_applies_once(query: str, values: list[str]) -> None:
    assert filters.read(ShadeFilter, QueryDict(query)) == {"shade": values}


@pytest.mark.parametrize("query", ["shade=dark&shade=pink", "shade=dark,", "shade=,", "shade=Dark"])
def test_a_value_that_is_no_choice_is_refused_among_others(query: str) -> None:
    with pytest.raises(Invalid) as refusal:
        filters.read(ShadeFilter, QueryDict(query))
    assert refusal.value.details["field"] == "shade"


def test_only_such_a_parameter_may_be_repeated() -> None:
    assert filters.lists_of(ShadeFilter) == {"shade"}


def test_the_openapi_file_says_that_it_is_a_list_and_how_to_send_it() -> None:
    shade: dict[str, Any] = parameters.of_filters(ShadeFilter)[0]
    assert shade["schema"] == {"type": "array", "items": {"type": "string", "enum": ["dark", "light", "grey"]}, "minItems": 1}
    assert shade["description"] == "Colours of this shade. Repeat it, or separate values by commas, for any of them"
