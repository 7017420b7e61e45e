"""Every text that a request body takes is one line without hidden characters, or a note that may have several lines."""

from collections.abc import Iterator

import pytest
from django import forms
from rest_framework import serializers

import hims.urls  # noqa: F401  # loads every body
from apps.consultations.steps.fields import LINE_MAX, Text
from apps.desk.kit.forms import clean_lines
from apps.rest.serializers import EmailAddressField, LineField, StrictSerializer

# Notes, and what is compared and never shown: ids, tokens, codes, passwords.
NOTES = {"reason", "notes", "note", "text", "message", "overbook_reason", "triage_reason", "cancellation_reason", "review"}
SECRETS = {"mfa_code", "code", "refresh_token", "token", "plan", "id", "action_url", "allowed_cidrs", "mrn"}
# They describe to the OpenAPI file what `read_detail` and the definitions of the steps read.
DESCRIPTIONS = {"apps.patients.api.serializers.details", "apps.consultations.api.serializers.step_data"}
SIGN_IN = {"LoginBody", "ForgotBody"}  # they look a name up, and store none


def bodies(kind: type[StrictSerializer] = StrictSerializer) -> Iterator[type[StrictSerializer]]:
    for body in kind.__subclasses__():
        if body.__module__ not in DESCRIPTIONS:
            yield body
        yield from bodies(body)


def texts() -> dict[str, serializers.Field]:
    fields = {}
    for body in bodies():
        for name, field in body().fields.items():
            inner = field.child if isinstance(field, serializers.ListField) else field
            if isinstance(inner, serializers.CharField):
                fields[f"{body.__name__}.{name}"] = inner
    return fields


def test_every_text_of_a_body_is_a_line_a_note_or_a_secret() -> None:
    plain = {
        where
        for where, field in texts().items()
        if not isinstance(field, LineField | EmailAddressField)
        and field.trim_whitespace
        and where.rpartition(".")[2] not in NOTES | SECRETS
        and where.partition(".")[0] not in SIGN_IN
    }
    # Dates of a birth and statuses are read as such, whatever is sent.
    assert {where for where in plain if not where.endswith(".date_of_birth")} == set()


def test_an_address_is_never_checked_by_a_rule_of_its_own() -> None:
    assert not [where for where, field in texts().items() if isinstance(field, serializers.EmailField)]


@pytest.mark.parametrize(("typed", "kept"), [("Na\nme\tX", "Na me X"), ("a\u202eb", "ab"), ("  a  b ", "a b")])
def test_a_form_and_a_step_of_a_visit_clean_a_line_as_the_api_does(typed: str, kept: str) -> None:
    class Named(forms.Form):
        name = forms.CharField()
        note = forms.CharField(widget=forms.Textarea)

    form = Named({"name": typed, "note": "one\ntwo"})
    assert form.is_valid()
    clean_lines(form, form.cleaned_data)
    assert form.cleaned_data == {"name": kept, "note": "one\ntwo"}
    assert Text(LINE_MAX).read(typed, "name", []) == kept
    assert Text(4_000).read("one\ntwo\x07", "note", []) == "one\ntwo"


def test_a_form_and_a_step_refuse_what_only_looks_blank() -> None:
    form = type("Named", (forms.Form,), {"name": forms.CharField()})({"name": "\u200b\u202e"})
    assert form.is_valid()
    clean_lines(form, form.cleaned_data)
    assert "name" in form.errors
    problems: list = []
    assert Text(LINE_MAX).read("\u2800", "name", problems) is None
    assert [problem.field for problem in problems] == ["name"]
