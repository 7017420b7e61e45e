"""Forms of patients and chart entries. They check shape; the services decide."""

from dataclasses import fields
from typing import Any, get_args, get_type_hints

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime, AdminTextareaWidget, AdminTextInputWidget

from apps.patients import chart, rules
from apps.patients.chart import EntryType
from apps.patients.models import ChartEntry, Patient
from apps.rest.admin.forms import ServiceForm

_LONG = ("note", "text", "instructions", "interpretation", "reaction")  # details that deserve a larger box
DETAIL = "detail_"


class PatientForm(ServiceForm):
    """The person's side of the record."""

    class Meta:
        model = Patient
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "mrn" in self.fields:
            self.fields["mrn"].required = False
            self.fields["mrn"].help_text = "Leave empty, and the next number is given."
        if "date_of_birth" in self.fields:
            self.fields["date_of_birth"].widget = forms.DateInput(attrs={"autocomplete": "off"})  # nobody pages to 1980
            self.fields["date_of_birth"].help_text = "like 1980-05-15 or 05/15/1980"

    def clean_phone(self) -> str:
        return self._telephone("phone")

    def clean_emergency_phone(self) -> str:
        return self._telephone("emergency_phone")

    def _telephone(self, name: str) -> str:
        number = self.cleaned_data[name]
        if number and not 3 <= len(rules.digits(number)) <= 20:
            raise forms.ValidationError("A telephone number has 3 to 20 digits.")
        return number


def entry_form(kind: EntryType) -> type[ServiceForm]:
    """The form of a new entry of this kind: its statuses to choose from, its details as boxes."""
    first, *_ = statuses = chart.STATUSES[kind]
    hints = get_type_hints(chart.DETAILS[kind])
    boxes: dict[str, Any] = {DETAIL + field.name: _box(field.name, hints[field.name]) for field in fields(chart.DETAILS[kind])}
    boxes["status"] = forms.ChoiceField(choices=[(word, word.replace("_", " ")) for word in statuses], initial=first)
    boxes["occurred_at"] = forms.SplitDateTimeField(
        label="When",
        required=False,
        widget=AdminSplitDateTime,
        help_text="Onset, effective time, or when it was done. Empty: now.",
    )
    meta = type(
        "Meta", (), {"model": ChartEntry, "fields": entry_columns(kind), "labels": {"display": "In words", "ended_at": "Until"}}
    )
    return type("EntryForm", (ServiceForm,), boxes | {"Meta": meta})


def entry_columns(kind: EntryType) -> tuple[str, ...]:
    """The columns a person fills in."""
    measured = ("value", "unit") if kind in chart.MEASURED else ()
    return ("display", *measured, "code_system", "code", "status", "occurred_at", "ended_at")


def detail_boxes(kind: EntryType) -> tuple[str, ...]:
    """The names of the boxes for the kind's details."""
    return tuple(DETAIL + field.name for field in fields(chart.DETAILS[kind]))


def _box(name: str, hint: Any) -> forms.Field:
    label = name.replace("_", " ").capitalize()
    if hint == int | None:
        return forms.IntegerField(label=label, required=False, min_value=1, max_value=999)
    if hint is str:
        widget = AdminTextareaWidget(attrs={"rows": 3}) if name in _LONG else AdminTextInputWidget()
        return forms.CharField(label=label, required=False, max_length=chart.TEXT_MAX, widget=widget)
    return forms.ChoiceField(
        label=label, required=False, choices=[(word, word.replace("_", " ") or "–") for word in get_args(hint)]
    )
