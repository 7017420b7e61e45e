"""Forms that write through services: refusals at their fields, versions, and one-line texts."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django import forms
from django.http import QueryDict

from apps.common import clock, text
from apps.common.errors import Conflict, HimsError, Invalid
from apps.desk.kit.forms import ServiceForm, Stale, _last_change, clean_lines, show_refusal, shown_value, version_of
from apps.rest import audit_log
from apps.rest.models import SignInTry

NOON = clock.now()


class TryForm(ServiceForm[SignInTry]):
    class Meta:
        model = SignInTry
        fields = ["key"]


class LampForm(forms.Form):
    name = forms.CharField(required=False)
    contact_phone = forms.CharField(required=False)
    notes = forms.CharField(required=False, widget=forms.Textarea)
    password = forms.CharField(required=False, widget=forms.PasswordInput)
    colours = forms.MultipleChoiceField(required=False, choices=[("r", "Red"), ("b", "Blue")])
    size = forms.ChoiceField(required=False, choices=[("s", "Small")])
    mail = forms.EmailField(required=False)


def lamp_form(**sent: Any) -> LampForm:
    data = QueryDict(mutable=True)
    data.update(sent)
    form = LampForm(data)
    assert form.is_valid()
    return form


@pytest.mark.parametrize(
    ("refusal", "errors"),
    [
        (Invalid(field="name", issue="Taken."), {"name": ["Taken."]}),
        (Invalid(field="contact.phone", issue="Too short."), {"contact_phone": ["Too short."]}),
        (Invalid(field="colour", issue="Unknown."), {"__all__": ["Unknown."]}),
        (
            Invalid(errors=[{"field": "name", "issue": "A."}, {"field": "notes", "issue": "B."}, {"field": "", "issue": "C."}]),
            {"name": ["A."], "notes": ["B."], "__all__": ["C."]},
        ),
        (Conflict("It is on."), {"__all__": ["It is on."]}),
        (Conflict("It is on.", field="name"), {"name": ["It is on."]}),
        (Conflict("It is on.", field="nothing"), {"__all__": ["It is on."]}),
    ],
)
def test_a_refusal_is_shown_at_its_fields_or_above_the_form(refusal: HimsError, errors: dict[str, list[str]]) -> None:
    form = lamp_form(name="Desk")
    show_refusal(form, refusal)
    assert form.errors == errors


def test_one_line_texts_are_cleaned_and_others_are_left_as_they_are() -> None:
    form = lamp_form(name=" a \u200b b", notes="a\n b", password="a  b ", mail="a@example.com")
    cleaned = dict(form.cleaned_data)
    clean_lines(form, cleaned)
    assert (cleaned["name"], cleaned["notes"], cleaned["password"]) == ("a b", "a\n b", "a  b")
    assert not form.errors


def test_a_text_that_only_looks_blank_is_refused_at_its_field() -> None:
    form = lamp_form(name="\u200b", contact_phone="")
    clean_lines(form, dict(form.cleaned_data))
    assert form.errors == {"name": [text.LOOKS_BLANK]}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("name", None, "(empty)"),
        ("name", "", "(empty)"),
        ("colours", [], "(empty)"),
        ("name", "Desk", "Desk"),
        ("name", 0, "0"),
        ("name", False, "False"),
        ("size", "s", "Small"),
        ("size", "xl", "xl"),
        ("colours", ["r", "x"], "Red, x"),
    ],
)
def test_a_value_is_compared_in_the_words_of_the_form(name: str, value: Any, shown: str) -> None:
    assert shown_value(LampForm(), name, value) == shown


def test_a_version_differs_between_two_states_of_a_row() -> None:
    one = SignInTry(pk=1, key="a", at=NOON)
    assert version_of(one) == ""
    one._state.adding = False
    first = version_of(one)
    assert first == version_of(one) != ""
    one.key = "b"
    assert version_of(one) != first
    row: Any = SimpleNamespace(_state=SimpleNamespace(adding=False), updated_at=NOON)
    assert version_of(row) == NOON.isoformat()


def test_only_changed_values_are_passed_to_the_service() -> None:
    row = SignInTry(pk=1, key="a", at=NOON)
    row._state.adding = False
    unchanged = TryForm({"key": "a", "version": version_of(row)}, instance=row)
    assert unchanged.is_valid()
    assert unchanged.changes() == {}
    changed = TryForm({"key": "b", "version": "of another time"}, instance=SignInTry(pk=1, key="a", at=NOON))
    assert changed.is_valid()
    assert changed.changes() == {"key": "b"}


class ChangedAuditLog:
    """Knows the author of every change."""

    def __init__(self, author: Any) -> None:
        self.author, self.since = author, None

    def last_author(self, row_id: Any, *, since: Any) -> Any:
        self.since = since
        return self.author


@pytest.mark.django_db
def test_after_a_stale_save_the_form_shows_both_values_and_the_next_save_is_meant() -> None:
    row = SignInTry.objects.create(key="theirs", at=NOON)
    data = QueryDict(mutable=True)
    data.update({"key": "mine", "version": "old"})
    form = type("StaleForm", (TryForm,), {"refusal": Stale()})(data, instance=row)
    assert not form.is_valid()
    assert form.data["version"] == version_of(SignInTry.objects.get()) != "old"
    assert [(one.label, one.mine, one.theirs) for one in form.clash.differences] == [("Key", "mine", "theirs")]
    assert form.errors == {"__all__": [Stale.message]}


@pytest.mark.django_db
@pytest.mark.parametrize("author", [None, uuid4()])
def test_a_change_of_the_system_or_a_user_who_is_gone_has_no_name(monkeypatch: pytest.MonkeyPatch, author: Any) -> None:
    log = ChangedAuditLog(author)
    monkeypatch.setattr(audit_log, "_log", log)
    row: Any = SimpleNamespace(pk=uuid4(), updated_at=NOON)
    who, at = _last_change(row)
    assert who == "another user"
    assert len(at) == 5
    assert (NOON - log.since).total_seconds() == 5  # type: ignore[operator]


def test_a_row_without_a_time_of_change_names_no_one() -> None:
    assert _last_change(SignInTry(key="a", at=NOON)) == ("another user", "")
