"""A step's form, made from the step's schema: one input for each field, one row of inputs for each item of a list.

`step_data()` returns what the service accepts. An empty input clears a stored value; without one it is left out.
"""

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, Self

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.common.errors import HimsError, Invalid
from apps.consultations.steps.definitions import REQUIRED_FIELDS, SCHEMAS, Step, is_empty
from apps.consultations.steps.fields import Choice, Field, Flag, Group, Measure, Number, Rows, Text, merged
from apps.consultations.steps.ports import Acknowledged
from apps.desk.consultations import labels
from apps.patients.chart.vitals import UNIT_FIELDS

_SPARE = 3
CONFIRMED = "confirmed_implausible"
_LONG = 400
ALERT = "alert-"
NOTHING = "nothing_to_note"
MAY_BE_EMPTY = frozenset((Step.INVESTIGATIONS, Step.PRESCRIPTIONS, Step.FOLLOW_UP))  # steps that the box can complete
_PAGE_WORDINGS = (
    (re.compile(f"send {CONFIRMED}: true after rechecking"), "recheck and tick the box that confirms it"),
    (re.compile(r'send \w+_unit: "(\w+)"'), r"choose the unit \1"),
)


def _box(name: str, field: Field, *, in_row: bool = False) -> forms.Field:
    """Returns the form's field. It checks only the shape; the service checks the bounds."""
    options: dict[str, Any] = {"required": False, "label": labels.label(name), "help_text": "" if in_row else field.description}
    if isinstance(field, Flag):
        return forms.BooleanField(**options)
    if isinstance(field, Measure):
        return forms.CharField(widget=forms.TextInput(attrs={"size": 8, "autocomplete": "off"}), **options)
    if isinstance(field, Choice):
        return forms.ChoiceField(choices=[("", "–"), *((word, labels.plain(word)) for word in field.words)], **options)
    if isinstance(field, Number):
        kind = forms.FloatField if field.decimals else forms.IntegerField
        return kind(widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 8, "autocomplete": "off"}), **options)
    is_long = isinstance(field, Text) and field.maximum > _LONG and not in_row
    widget = forms.Textarea(attrs={"rows": 4}) if is_long else forms.TextInput(attrs={"size": 16 if in_row else 40})
    return forms.CharField(widget=widget, **options)


def _cells(item: Any, group: Group) -> dict[str, Any]:
    """Returns an item of a list as a row of inputs; plain text goes into the description."""
    return {"description": item} if isinstance(item, str) else {name: item[name] for name in group.schema if name in item}


class StepForm(forms.Form):
    """The form of a step. `stored` is the step's current data, `shown` the initial values if they differ."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(
        self, step: Step, stored: Mapping[str, Any], version: int, sent: Any = None, *, shown: Any = None, is_done: bool = False
    ) -> None:
        super().__init__(sent, initial={"version": version, NOTHING: is_done and is_empty(stored)})
        self.step, self.stored, self.begins = step, stored, stored if shown is None else shown
        for name, field in SCHEMAS[step].items():
            self._place(name, field)
        for name in REQUIRED_FIELDS.get(step, ()):
            if name in self.fields:
                self.fields[name].help_text += " Required to complete the step."
        if step in MAY_BE_EMPTY:
            text = _("Completes the step without an entry.")
            self.fields[NOTHING] = forms.BooleanField(label=_("Nothing to note"), required=False, help_text=text)

    def _place(self, name: str, field: Field) -> None:
        value = self.begins.get(name)
        if isinstance(field, Rows):
            self._place_rows(name, field, value or [])
        elif isinstance(field, Group):
            self.fields[name] = _box(name, Text(1_000))
            self.initial[name] = value if isinstance(value, str) else ""
            for part, box in field.schema.items():
                self.fields[f"{name}_{part}"] = _box(part, box)
                self.initial[f"{name}_{part}"] = value.get(part) if isinstance(value, Mapping) else None
        else:
            self.fields[name] = _box(name, field)
            self.initial[name] = None if name == CONFIRMED else value

    def _place_rows(self, name: str, field: Rows, items: list[Any]) -> None:
        group: Any = field.item
        sent = self._rows_sent(name) if self.is_bound else 0
        for place in range(min(max(len(items) + _SPARE, sent), field.maximum)):
            initial = _cells(items[place], group) if place < len(items) else {}
            for part, box in group.schema.items():
                field_name = f"{name}_{place}_{part}"
                self.fields[field_name] = _box(part, box, in_row=True)
                self.fields[field_name].widget.attrs["aria-label"] = f"{labels.label(part)}, row {place + 1}"
                self.initial[field_name] = initial.get(part)

    def _rows_sent(self, name: str) -> int:
        places = [key.removeprefix(f"{name}_").partition("_")[0] for key in self.data if key.startswith(f"{name}_")]
        return max((int(place) + 1 for place in places if place.isascii() and place.isdigit() and len(place) < 4), default=0)

    # What the template shows

    def focused(self) -> Self:
        """Puts the focus on the first input, so that typing can begin at once."""
        first = next((name for name, field in self.fields.items() if not field.widget.is_hidden), None)
        if first:
            self.fields[first].widget.attrs["autofocus"] = True
        return self

    def singles(self) -> list[forms.BoundField]:
        """Returns the inputs outside of lists."""
        rows = tuple(f"{name}_" for name, field in SCHEMAS[self.step].items() if isinstance(field, Rows))
        return [box for box in self.visible_fields() if not box.name.startswith(rows)]

    def laid_out(self) -> list[dict[str, Any]]:
        """Returns the inputs outside of lists, and how each is laid out."""
        return [
            {
                "box": box,
                "is_checkbox": isinstance(box.field, forms.BooleanField),
                "is_long": isinstance(box.field.widget, forms.Textarea),
            }
            for box in self.singles()
        ]

    def tables(self) -> list[dict[str, Any]]:
        """Returns the lists, as rows of inputs."""
        tables = []
        for name, field in SCHEMAS[self.step].items():
            if isinstance(field, Rows):
                parts = list(field.item.schema)  # type: ignore[attr-defined]  # the rows of this field are groups
                places = range(len([key for key in self.fields if key.startswith(f"{name}_")]) // len(parts))
                rows = [[self[f"{name}_{place}_{part}"] for part in parts] for place in places]
                tables.append({"name": labels.label(name), "heads": [labels.label(part) for part in parts], "rows": rows})
        return tables

    # What the service takes

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or self.cleaned_data
        for name, field in SCHEMAS[self.step].items():
            if isinstance(field, Group) and answers.get(name) and self._parts(name, field):
                self.add_error(name, "Fill in either the note or the date, not both.")
        if answers.get(NOTHING) and not self.is_empty:
            self.add_error(NOTHING, _("The step has an entry. Remove it, or untick this box."))
        return answers

    @property
    def is_empty(self) -> bool:
        """Returns whether the step has no entry after this save."""
        return is_empty(merged(self.stored, self.step_data()))

    def step_data(self) -> dict[str, Any]:
        """Returns the data to save."""
        data = {name: self._value(name, field) for name, field in SCHEMAS[self.step].items()}
        if not data.get(CONFIRMED):
            data.pop(CONFIRMED, None)  # never carried over: a new value asks again
        for unit, name in UNIT_FIELDS.items():
            if unit in data and (data.get(name) is None or data[name] == self.stored.get(name)):
                data.pop(unit)  # values that were not entered anew are shown in the metric unit
        return {name: value for name, value in data.items() if value is not None or self.stored.get(name) is not None}

    def _value(self, name: str, field: Field) -> Any:
        if isinstance(field, Rows):
            return list(self._items(name, field)) or None
        answer = self.cleaned_data.get(name)
        if isinstance(field, Group):
            return answer or self._group(name, field)
        if isinstance(field, Measure):
            return _number_in(answer)
        if name == CONFIRMED:
            return answer or None
        if isinstance(field, Flag):
            return answer or (False if self.stored.get(name) is not None else None)
        return None if answer == "" else answer

    def _group(self, name: str, group: Group) -> dict[str, Any] | None:
        """Returns the filled inputs. A stored part that is empty now is None, because the service merges objects."""
        parts, stored = self._parts(name, group), self.stored.get(name)
        emptied = dict.fromkeys(stored if isinstance(stored, Mapping) else ())
        return emptied | parts if parts else None

    def _parts(self, name: str, group: Group) -> dict[str, Any]:
        parts = {part: self.cleaned_data.get(f"{name}_{part}") for part in group.schema}
        return {part: value for part, value in parts.items() if value not in ("", None) and value is not False}

    def _items(self, name: str, field: Rows) -> Iterator[Any]:
        """Yields the rows that are not empty. An unchanged row keeps its stored form, text or object."""
        group: Any = field.item
        before, place = self.begins.get(name) or [], 0
        while any(f"{name}_{place}_{part}" in self.fields for part in group.schema):
            row = self._parts(f"{name}_{place}", group)
            stored = before[place] if place < len(before) else None
            if row:
                same = stored is not None and row == {part: v for part, v in _cells(stored, group).items() if v is not False}
                yield stored if same else row
            place += 1


def _number_in(text: str | None) -> Any:
    """Returns the number in an input, or the text for the service to read, like "98.6 F"; None for an empty input."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    return text if not isfinite(number) else int(number) if number == int(number) else number


def acknowledged(data: Mapping[str, Any]) -> list[Acknowledged]:
    """Returns the alerts for which the user entered a reason."""
    reasons = {name.removeprefix(ALERT): str(data[name]).replace("\x00", "").strip() for name in data if name.startswith(ALERT)}
    return [Acknowledged(id=name[:64], reason=reason[:400]) for name, reason in reasons.items() if reason]


def add_errors(form: forms.Form, refusal: HimsError) -> None:
    """Shows a refusal at the inputs that it names, or above the form."""
    rows = refusal.details["errors"] if isinstance(refusal, Invalid) else [{"field": "", "issue": refusal.message}]
    for row in rows:
        name = row["field"].removeprefix("step_data.").replace("[", "_").replace("]", "").replace(".", "_")
        form.add_error(name if name in form.fields else None, _page_wording(row["issue"]))


def _page_wording(issue: str) -> str:
    """Returns the issue with the names of the page's inputs instead of the API's fields."""
    for pattern, words_here in _PAGE_WORDINGS:
        issue = pattern.sub(words_here, issue)
    return issue
