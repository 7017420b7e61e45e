"""A step's form, made from the step's schema: one box a field, a row of boxes an item of a list.

`data()` answers what the service takes. What is empty and was stored is cleared; what is empty and was not is left out.
"""

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from django import forms

from apps.common.errors import HimsError, Invalid
from apps.consultations.admin import words
from apps.consultations.fields import Choice, Field, Flag, Group, Measure, Number, Rows, Text
from apps.consultations.ports import Acknowledged
from apps.consultations.steps import SCHEMAS, TO_COMPLETE, Step
from apps.patients.vitals import UNIT_FIELDS

_SPARE = 3
_CONFIRMED = "confirmed_implausible"
_LONG = 400
ALERT = "alert-"
_ON_THE_PAGE = (
    (re.compile(rf"send {_CONFIRMED}: true after measuring again"), "measure again and tick the box that says so"),
    (re.compile(r'send \w+_unit: "(\w+)"'), r"choose the unit \1"),
)


def _box(name: str, field: Field, *, in_row: bool = False) -> forms.Field:
    """The form's field. Only its shape is checked here; the service knows the bounds."""
    told: dict[str, Any] = {"required": False, "label": words.label(name), "help_text": "" if in_row else field.about}
    if isinstance(field, Flag):
        return forms.BooleanField(**told)
    if isinstance(field, Measure):
        return forms.CharField(widget=forms.TextInput(attrs={"size": 8, "autocomplete": "off"}), **told)
    if isinstance(field, Choice):
        return forms.ChoiceField(choices=[("", "–"), *((word, words.plain(word)) for word in field.words)], **told)
    if isinstance(field, Number):
        kind = forms.FloatField if field.decimals else forms.IntegerField
        return kind(widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 8, "autocomplete": "off"}), **told)
    is_long = isinstance(field, Text) and field.most > _LONG and not in_row
    widget = forms.Textarea(attrs={"rows": 4}) if is_long else forms.TextInput(attrs={"size": 16 if in_row else 40})
    return forms.CharField(widget=widget, **told)


def _cells(item: Any, group: Group) -> dict[str, Any]:
    """An item of a list as a row of boxes; plain words stand in the box for words."""
    return {"description": item} if isinstance(item, str) else {name: item[name] for name in group.schema if name in item}


class StepForm(forms.Form):
    """`stored` is the step's data as it stands, or what the form is to begin with."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, step: Step, stored: Mapping[str, Any], version: int, sent: Any = None, shown: Any = None) -> None:
        super().__init__(sent, initial={"version": version})
        self.step, self.stored, self.begins = step, stored, stored if shown is None else shown
        for name, field in SCHEMAS[step].items():
            self._place(name, field)
        for name in TO_COMPLETE.get(step, ()):
            if name in self.fields:
                self.fields[name].help_text += " Required to complete the step."

    def _place(self, name: str, field: Field) -> None:
        here = self.begins.get(name)
        if isinstance(field, Rows):
            self._place_rows(name, field, here or [])
        elif isinstance(field, Group):
            self.fields[name] = _box(name, Text(1_000))
            self.initial[name] = here if isinstance(here, str) else ""
            for part, box in field.schema.items():
                self.fields[f"{name}_{part}"] = _box(part, box)
                self.initial[f"{name}_{part}"] = here.get(part) if isinstance(here, Mapping) else None
        else:
            self.fields[name] = _box(name, field)
            self.initial[name] = None if name == _CONFIRMED else here

    def _place_rows(self, name: str, field: Rows, here: list[Any]) -> None:
        group: Any = field.item
        sent = self._rows_sent(name) if self.is_bound else 0
        for place in range(min(max(len(here) + _SPARE, sent), field.most)):
            begins = _cells(here[place], group) if place < len(here) else {}
            for part, box in group.schema.items():
                at = f"{name}_{place}_{part}"
                self.fields[at] = _box(part, box, in_row=True)
                self.fields[at].widget.attrs["aria-label"] = f"{words.label(part)}, row {place + 1}"
                self.initial[at] = begins.get(part)

    def _rows_sent(self, name: str) -> int:
        places = [key.removeprefix(f"{name}_").partition("_")[0] for key in self.data if key.startswith(f"{name}_")]
        return max((int(place) + 1 for place in places if place.isascii() and place.isdigit() and len(place) < 4), default=0)

    # What the template shows

    def singles(self) -> list[forms.BoundField]:
        """The boxes outside of lists."""
        rows = tuple(f"{name}_" for name, field in SCHEMAS[self.step].items() if isinstance(field, Rows))
        return [box for box in self.visible_fields() if not box.name.startswith(rows)]

    def tables(self) -> list[dict[str, Any]]:
        """The lists, as rows of boxes."""
        found = []
        for name, field in SCHEMAS[self.step].items():
            if isinstance(field, Rows):
                parts = list(field.item.schema)  # type: ignore[attr-defined]
                places = range(len([key for key in self.fields if key.startswith(f"{name}_")]) // len(parts))
                rows = [[self[f"{name}_{place}_{part}"] for part in parts] for place in places]
                found.append({"name": words.label(name), "heads": [words.label(part) for part in parts], "rows": rows})
        return found

    # What the service takes

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or self.cleaned_data
        for name, field in SCHEMAS[self.step].items():
            if isinstance(field, Group) and answers.get(name) and self._parts(name, field):
                self.add_error(name, "Either in words or in the boxes below.")
        return answers

    def step_data(self) -> dict[str, Any]:
        """What is to be saved."""
        told = {name: self._value(name, field) for name, field in SCHEMAS[self.step].items()}
        if not told.get(_CONFIRMED):
            told.pop(_CONFIRMED, None)  # never carried over: what is new is questioned anew
        for unit, name in UNIT_FIELDS.items():
            if unit in told and (told.get(name) is None or told[name] == self.stored.get(name)):
                told.pop(unit)  # what was not typed anew is shown in the metric unit
        return {name: value for name, value in told.items() if value is not None or self.stored.get(name) is not None}

    def _value(self, name: str, field: Field) -> Any:
        if isinstance(field, Rows):
            return list(self._items(name, field)) or None
        answer = self.cleaned_data.get(name)
        if isinstance(field, Group):
            return answer or self._group(name, field)
        if isinstance(field, Measure):
            return _number_in(answer)
        if name == _CONFIRMED:
            return answer or None
        if isinstance(field, Flag):
            return answer or (False if self.stored.get(name) is not None else None)
        return None if answer == "" else answer

    def _group(self, name: str, group: Group) -> dict[str, Any] | None:
        """What stands in the boxes; None for a part that was stored and is empty now, as the service merges objects."""
        told, before = self._parts(name, group), self.stored.get(name)
        emptied = dict.fromkeys(before if isinstance(before, Mapping) else ())
        return emptied | told if told else None

    def _parts(self, name: str, group: Group) -> dict[str, Any]:
        told = {part: self.cleaned_data.get(f"{name}_{part}") for part in group.schema}
        return {part: value for part, value in told.items() if value not in ("", None) and value is not False}

    def _items(self, name: str, field: Rows) -> Iterator[Any]:
        """The rows that hold something; one that was not touched stays what it was, words or an object."""
        group: Any = field.item
        before, place = self.begins.get(name) or [], 0
        while any(f"{name}_{place}_{part}" in self.fields for part in group.schema):
            row = self._parts(f"{name}_{place}", group)
            old = before[place] if place < len(before) else None
            if row:
                same = old is not None and row == {part: v for part, v in _cells(old, group).items() if v is not False}
                yield old if same else row
            place += 1


def _number_in(text: str | None) -> Any:
    """The number in a box, or the text for the service to read, like "98.6 F"; None for an empty box."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    return text if not isfinite(number) else int(number) if number == int(number) else number


def acknowledged(sent: Mapping[str, Any]) -> list[Acknowledged]:
    """The alerts for which a reason was written."""
    told = {name.removeprefix(ALERT): str(sent[name]).replace("\x00", "").strip() for name in sent if name.startswith(ALERT)}
    return [Acknowledged(id=name[:64], reason=reason[:400]) for name, reason in told.items() if reason]


def tell(form: forms.Form, refusal: HimsError) -> None:
    """Show a refusal at the boxes it names, or on top."""
    rows = refusal.details["errors"] if isinstance(refusal, Invalid) else [{"field": "", "issue": refusal.message}]
    for row in rows:
        name = row["field"].removeprefix("step_data.").replace("[", "_").replace("]", "").replace(".", "_")
        form.add_error(name if name in form.fields else None, _as_the_page_says(row["issue"]))


def _as_the_page_says(issue: str) -> str:
    """The issue with the boxes of the page instead of the names of the API's fields."""
    for pattern, words_here in _ON_THE_PAGE:
        issue = pattern.sub(words_here, issue)
    return issue
