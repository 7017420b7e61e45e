"""Forms of patients and chart entries. They check shape; the services decide."""

from dataclasses import fields
from datetime import datetime, time
from typing import Any, get_args, get_type_hints
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib.admin.widgets import AdminSplitDateTime, AdminTextareaWidget, AdminTextInputWidget
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common import clock
from apps.desk.kit.forms import ServiceForm
from apps.desk.patients import entry_words
from apps.patients import rules
from apps.patients.chart import dates, entry_types
from apps.patients.chart.dates import PartialDate, Precision
from apps.patients.chart.entry_types import EntryType
from apps.patients.models import ChartEntry, Gender, Patient
from apps.patients.services import Registration

_LONG = ("note", "text", "instructions", "interpretation", "reaction")  # details that deserve a larger box
_LABELS = {  # of details whose name is no plain word
    "kind": gettext_lazy("Allergy or intolerance"),
    "criticality": gettext_lazy("Risk of a severe reaction"),
    "value_text": gettext_lazy("Result in words"),
}
DETAIL = "detail_"
CODE_AND_TIME = ("status", "occurred_at", "ended_at", "code_system", "code")
_CONFIRMED = "confirmed_implausible"
_BIRTH_MOST = 40  # characters
_IN_WORDS = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%b %d, %Y", "%B %d, %Y")
_DAYS = {  # how a date is typed, by whether the month comes first
    True: ("%Y-%m-%d", *(f"%m{mark}%d{mark}{year}" for mark in "/.-" for year in ("%Y", "%y")), *_IN_WORDS),
    False: ("%Y-%m-%d", *(f"%d{mark}%m{mark}{year}" for mark in "/.-" for year in ("%Y", "%y")), *_IN_WORDS),
}
_EXAMPLE = {True: "05/15/1980", False: "15/05/1980"}


def read_birth(text: str) -> PartialDate:
    """Parses a typed date of birth, in the clinic's order of day and month. Raises ValidationError."""
    try:
        month_first = rules.is_month_first(settings.CLINIC_COUNTRY)
        return rules.birth_from(text, clock.today(), month_first=month_first)
    except ValueError as problem:
        raise forms.ValidationError(str(problem)) from problem


class BirthField(forms.Field):
    """A date of birth as exactly as it is known."""

    def to_python(self, value: Any) -> Any:
        text = str(value or "").replace("\x00", "").strip()
        return read_birth(text[:_BIRTH_MOST]) if text else None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except forms.ValidationError:
            return True


class WhenField(forms.MultiValueField):
    """A date to the day, month or year, and a time if known: a partial date, or an instant in the clinic's time zone."""

    def __init__(self, **kwargs: Any) -> None:
        boxes = (forms.CharField(required=False, max_length=40), forms.TimeField(required=False))
        super().__init__(boxes, require_all_fields=False, widget=AdminSplitDateTime, **kwargs)

    def compress(self, data_list: list[Any]) -> datetime | PartialDate | None:
        text, at = [*data_list, None, None][:2]
        if not text:
            if at:
                raise forms.ValidationError("Enter a date with the time.")
            return None
        day = read_birth(text)
        if not at:
            return day
        if day.precision != Precision.DAY:
            raise forms.ValidationError("A time needs the whole date.")
        return datetime.combine(day.first, at, ZoneInfo(settings.CLINIC_TIME_ZONE))


class PatientForm(ServiceForm[Patient]):
    """The demographics of a patient."""

    age = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=dates.OLDEST_AGE,
        help_text="In years, only if the date of birth is not known. It is then shown as estimated.",
    )

    class Meta:
        model = Patient
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "mrn" in self.fields:
            self.fields["mrn"].required = False
            self.fields["mrn"].help_text = "Leave empty to assign the next number."
        if self.instance._state.adding:
            self._use_plain_boxes()
        else:
            del self.fields["age"]
            self.initial["date_of_birth"] = self.instance.birth.typed
        if "deceased_at" in self.fields:  # in the same order as the birth next to it
            self.fields["deceased_at"].fields[0].input_formats = _DAYS[rules.is_month_first(settings.CLINIC_COUNTRY)]  # type: ignore[attr-defined]  # a split field has a field for the day
        if "date_of_birth" in self.fields:
            self.fields["date_of_birth"] = BirthField(
                required=not self.instance._state.adding,  # the age is enough
                widget=AdminTextInputWidget(attrs={"autocomplete": "off", "maxlength": _BIRTH_MOST}),
                help_text=f"like 1980-05-15 or {_EXAMPLE[rules.is_month_first(settings.CLINIC_COUNTRY)]}; a month like 1980-05 "
                "or a year like 1980 if no more is known; about 1980 if it is estimated",
            )

    def _use_plain_boxes(self) -> None:
        """Replaces the boxes that need Django's calendar script: the form of registration loads none."""
        if "time_of_birth" in self.fields:
            self.fields["time_of_birth"].widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
        if "deceased_at" in self.fields:
            self.fields["deceased_at"].widget = forms.SplitDateTimeWidget(
                date_attrs={"aria-label": _("Day of death")},
                time_attrs={"aria-label": _("Time of death"), "type": "time"},
                time_format="%H:%M",
            )
        if "gender" in self.fields:
            self.fields["gender"].label = _("Sex")
            self.fields["gender"].choices = [("", _("Choose")), *Gender.choices]  # type: ignore[attr-defined]  # a field with choices
        if "last_name" in self.fields:
            self.fields["last_name"].help_text = ""
        if "phone" in self.fields:
            self.fields["phone"].widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "maxlength": 40})

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        born, age = cleaned.get("date_of_birth"), cleaned.get("age")
        if age is not None and born is None and "date_of_birth" not in self.errors:
            born = dates.born_by_age(age, clock.today())
        elif age is not None and born is not None:
            self.add_error("age", "Enter the date of birth or the age, not both.")
        elif born is None and "date_of_birth" in self.fields and "date_of_birth" not in self.errors:
            self.add_error("date_of_birth", "Enter the date of birth, or the age below if it is not known.")
        if born is not None:
            cleaned |= {"date_of_birth": born.first, "date_of_birth_precision": born.precision.value}
        return super().clean()

    @property
    def describes_person(self) -> bool:
        """Returns whether enough is typed and valid to look for the same person: a name and a birth date."""
        typed = self.cleaned_data
        return bool(typed.get("first_name") or typed.get("last_name")) and bool(typed.get("date_of_birth"))

    def described(self, gender: str) -> dict[str, Any]:
        """Returns the values of a registration as far as they are typed and valid; `gender` if none is chosen yet."""
        known = {field.name for field in fields(Registration)} - {"mrn"}
        typed = {name: value for name, value in self.cleaned_data.items() if name in known and value not in (None, "")}
        return {"first_name": "", "last_name": "", "gender": gender} | typed

    def changes(self) -> dict[str, Any]:
        """Returns the changed values; the precision is changed together with the date."""
        changed = super().changes()
        if "date_of_birth" in changed:
            changed["date_of_birth_precision"] = self.cleaned_data["date_of_birth_precision"]
        return changed

    def clean_phone(self) -> str:
        return self._telephone("phone")

    def clean_emergency_phone(self) -> str:
        return self._telephone("emergency_phone")

    def _telephone(self, name: str) -> str:
        number: str = self.cleaned_data[name]
        if number and not 3 <= len(rules.digits(number)) <= 20:
            raise forms.ValidationError("A telephone number has 3 to 20 digits.")
        return number


class EntryForm(ServiceForm[ChartEntry]):
    """A chart entry. A date without a time keeps the precision with which it was typed."""

    def clean(self) -> dict[str, Any]:
        for name in ("occurred", "ended"):
            if isinstance(when := self.cleaned_data.get(f"{name}_at"), PartialDate):
                begins = datetime.combine(when.first, time(), ZoneInfo(settings.CLINIC_TIME_ZONE))
                self.cleaned_data |= {f"{name}_at": begins, f"{name}_on": str(when)}
        return super().clean()


def entry_form(kind: EntryType) -> type[ServiceForm[ChartEntry]]:
    """Returns the form of a new entry of this kind: its statuses as choices, its details as fields."""
    first = entry_types.STATUSES[kind][0]
    hints = get_type_hints(entry_types.DETAILS[kind])
    boxes: dict[str, Any] = {
        DETAIL + field.name: _box(field.name, hints[field.name]) for field in fields(entry_types.DETAILS[kind])
    }
    boxes["status"] = forms.ChoiceField(label=_("Status"), choices=entry_words.status_choices(kind), initial=first)
    boxes["occurred_at"] = WhenField(
        label=_("When"),
        required=False,
        help_text=_("When it began or was done: a day, or a month (2015-06) or year if no more is known. Leave blank for now."),
    )
    boxes["ended_at"] = WhenField(label=_("Until"), required=False, help_text=_("When it ended. Leave blank if it has not."))
    if kind == EntryType.VITAL_SIGN:
        boxes[_CONFIRMED] = forms.BooleanField(
            label="I rechecked this reading; it is correct",
            required=False,
            help_text="Only for a value that looks implausible and is correct.",
        )
    meta = type(
        "Meta", (), {"model": ChartEntry, "fields": entry_columns(kind), "labels": {"display": entry_words.KINDS[kind].what}}
    )
    return type("KindOfEntryForm", (EntryForm,), boxes | {"Meta": meta})


def entry_columns(kind: EntryType) -> tuple[str, ...]:
    """Returns the columns that a user fills in."""
    measured: tuple[str, ...] = ("value", "unit") if kind in entry_types.MEASURED else ()
    measured += (_CONFIRMED,) if kind == EntryType.VITAL_SIGN else ()
    return ("display", *measured, *CODE_AND_TIME)


def detail_boxes(kind: EntryType) -> tuple[str, ...]:
    """Returns the field names of the kind's details."""
    return tuple(DETAIL + field.name for field in fields(entry_types.DETAILS[kind]))


def _box(name: str, hint: Any) -> forms.Field:
    label = _LABELS.get(name) or name.replace("_", " ").capitalize()
    if hint == int | None:
        return forms.IntegerField(label=label, required=False, min_value=1, max_value=999)
    if hint is str:
        widget = AdminTextareaWidget(attrs={"rows": 3}) if name in _LONG else AdminTextInputWidget()
        return forms.CharField(label=label, required=False, max_length=entry_types.TEXT_MAX, widget=widget)
    choices = [(word, word.replace("_", " ").capitalize() or _("Not stated")) for word in get_args(hint)]
    return forms.ChoiceField(label=label, required=False, choices=choices)
