"""Forms that write through services: a refusal is shown at its field, and no user's change is overwritten unseen."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib.auth import get_user_model
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext

from apps.common import clinic_times, clock, text
from apps.common.errors import Conflict, HimsError, Invalid
from apps.common.models import M
from apps.rest import audit_log

_MANY_LINES = (forms.Textarea, forms.PasswordInput, forms.HiddenInput)
_SAME_MOMENT = timedelta(seconds=5)  # between a row's `updated_at` and its audit entry


class Stale(Conflict):
    message = (
        "Another user changed this while you were editing. Your changes are not lost: compare below, correct, and save again."
    )


class AlreadySaved(Conflict):
    message = "This is already recorded: it was sent twice, or another user saved the same. Nothing more was saved."


@dataclass(frozen=True)
class Difference:
    """One field in which the form and the record differ."""

    label: str
    mine: str
    theirs: str


@dataclass(frozen=True)
class Clash:
    """Who changed the record in the meantime, when, and how it differs from the form."""

    who: str
    at: str
    differences: tuple[Difference, ...]


class ServiceForm(forms.ModelForm[M]):
    """Checks only the shape of values. The service and the database decide the rest, with better messages than Django's model
    checks."""

    questions: ClassVar[Collection[str]] = ()  # fields that are no part of the record: what to do when it is saved

    version = forms.CharField(widget=forms.HiddenInput, required=False)

    refusal: HimsError | None = None  # set by the page if a service refused this very data
    clash: Clash | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.fields["version"].initial = version = version_of(self.instance)
        self._write_hints()
        if isinstance(self.refusal, Stale):
            # The user sees this version now, so the next save is intended.
            self.data = {**self.data.dict(), "version": version}  # type: ignore[attr-defined]  # a bound form has a QueryDict

    def _write_hints(self) -> None:
        """Begins each hint with a capital. Labels the two fields of a time, which share one visible label, as date and time, and
        says which clock they follow."""
        for name, field in self.fields.items():
            field.help_text = capfirst(str(field.help_text))
            if isinstance(field.widget, forms.SplitDateTimeWidget):
                clinic = gettext("Clinic time, now %(time)s.") % {"time": clinic_times.clock_time(clock.now())}
                field.help_text = f"{field.help_text.rstrip('.')}. {clinic}" if field.help_text else clinic
                for half, widget in zip(("date", "time"), field.widget.widgets, strict=True):
                    widget.attrs["aria-label"] = f"{self[name].label}: {half}"

    def validate_unique(self) -> None:
        """Does nothing: the service checks uniqueness."""

    def _post_clean(self) -> None:
        """Works like Django's, without the table's constraints: the service reports their violations with better messages."""
        instance: Any = self.instance
        instance.validate_constraints = lambda exclude=None: None  # noqa: ARG005
        super()._post_clean()  # type: ignore[misc]  # a private method that the stubs leave out
        del instance.validate_constraints

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        clean_lines(self, cleaned)
        if self.refusal is not None:
            if isinstance(self.refusal, Stale):
                self.clash = self._clash()
            show_refusal(self, self.refusal)
        return cleaned

    def changes(self) -> dict[str, Any]:
        """Returns the values that the user changed, by field name."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name != "version" and name in self.cleaned_data}

    def _clash(self) -> Clash:
        changed = [name for name in self.changed_data if name not in ("version", *self.questions)]
        rows = tuple(
            Difference(
                str(self[name].label),
                shown_value(self, name, self.cleaned_data.get(name)),
                shown_value(self, name, self[name].initial),
            )
            for name in changed
        )
        who, at = _last_change(self.instance)
        return Clash(who, at, rows)


def clean_lines(form: forms.BaseForm, cleaned: dict[str, Any]) -> None:
    """Replaces the text of each one-line field by the result of `text.clean_line`, and refuses a text that only looks blank."""
    for name, field in form.fields.items():
        value = cleaned.get(name)
        if type(field) is not forms.CharField or not isinstance(value, str) or isinstance(field.widget, _MANY_LINES):
            continue
        try:
            cleaned[name] = text.clean_line(value)
        except text.LooksBlank:
            form.add_error(name, text.LOOKS_BLANK)


def version_of(row: models.Model) -> str:
    """Returns a text that differs between two states of a row; empty for an unsaved row."""
    if row._state.adding:
        return ""
    if hasattr(row, "updated_at"):
        return str(row.updated_at.isoformat())
    values = repr([(field.attname, field.value_from_object(row)) for field in row._meta.concrete_fields])
    return hashlib.sha256(values.encode()).hexdigest()[:20]


def show_refusal(form: forms.BaseForm, refusal: HimsError) -> None:
    """Shows a refusal at the fields that it names, or above the form."""
    rows = (
        refusal.details["errors"]
        if isinstance(refusal, Invalid)
        else [{"field": refusal.details.get("field", ""), "issue": refusal.message}]
    )
    for row in rows:
        name = row["field"].replace(".", "_")
        form.add_error(name if name in form.fields else None, row["issue"])


def shown_value(form: forms.BaseForm, name: str, value: Any) -> str:
    """Returns the value of a field as text: a choice by its label."""
    if value in (None, "", []):
        return "(empty)"
    if isinstance(value, list):
        return ", ".join(shown_value(form, name, one) for one in value)
    return str(dict(getattr(form.fields[name], "choices", ())).get(value, value))


def _last_change(row: models.Model) -> tuple[str, str]:
    """Returns the author of the last change, from the audit log, and its time in the clinic's time zone."""
    changed_at = getattr(row, "updated_at", None)
    if changed_at is None:
        return "another user", ""
    author = audit_log.get().last_author(row.pk, since=changed_at - _SAME_MOMENT)
    person = get_user_model()._default_manager.filter(pk=author).first() if author else None
    return str(person or "another user"), clinic_times.clock_time(changed_at)
