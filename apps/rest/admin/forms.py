"""Forms that write through services: what a service refuses is told at the field, and nobody's change is lost."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.db import models
from django.utils import timezone

from apps.common import text
from apps.common.errors import Conflict, HimsError, Invalid
from apps.rest import audit_log

_MANY_LINES = (forms.Textarea, forms.PasswordInput, forms.HiddenInput)
_SAME_MOMENT = timedelta(seconds=5)  # between a row's `updated_at` and its line in the trail


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
    """Who changed the record meanwhile, when, and how it differs from the form."""

    who: str
    at: str
    differences: tuple[Difference, ...]


class ServiceForm(forms.ModelForm):
    """Checks shape only: a service and the database decide the rest, in better words than Django's model checks have."""

    version = forms.CharField(widget=forms.HiddenInput, required=False)

    refusal: HimsError | None = None  # set by the page when a service said no to this very data
    clash: Clash | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = version = version_of(self.instance)
        self._label_date_and_time()
        if isinstance(self.refusal, Stale):
            self.data = {**self.data.dict(), "version": version}  # type: ignore[attr-defined]  # seen now: the next save is meant

    def _label_date_and_time(self) -> None:
        """The two boxes of a time stand under one label; each says which half it is."""
        for name, field in self.fields.items():
            if isinstance(field.widget, forms.SplitDateTimeWidget):
                for half, widget in zip(("date", "time"), field.widget.widgets, strict=True):
                    widget.attrs["aria-label"] = f"{self[name].label}: {half}"

    def validate_unique(self) -> None:
        """Left to the service."""

    def _post_clean(self) -> None:
        """As Django does, but without the table's constraints: the service says in better words what they say."""
        self.instance.validate_constraints = lambda exclude=None: None  # noqa: ARG005
        super()._post_clean()  # type: ignore[misc]
        del self.instance.validate_constraints

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        clean_lines(self, cleaned)
        if self.refusal is not None:
            if isinstance(self.refusal, Stale):
                self.clash = self._clash()
            show_refusal(self, self.refusal)
        return cleaned

    def changes(self) -> dict[str, Any]:
        """What the person changed, by field name."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name != "version" and name in self.cleaned_data}

    def _clash(self) -> Clash:
        changed = [name for name in self.changed_data if name != "version"]
        rows = tuple(
            Difference(
                str(self[name].label), _shown(self, name, self.cleaned_data.get(name)), _shown(self, name, self[name].initial)
            )
            for name in changed
        )
        who, at = _last_change(self.instance)
        return Clash(who, at, rows)


def clean_lines(form: forms.BaseForm, cleaned: dict[str, Any]) -> None:
    """Replace each text of one line by what `text.clean_line` makes of it; refuse at its field what only looks blank."""
    for name, field in form.fields.items():
        value = cleaned.get(name)
        if type(field) is not forms.CharField or not isinstance(value, str) or isinstance(field.widget, _MANY_LINES):
            continue
        try:
            cleaned[name] = text.clean_line(value)
        except text.LooksBlank:
            form.add_error(name, text.LOOKS_BLANK)


def version_of(row: models.Model) -> str:
    """What tells one state of a row from another; empty for a row that is not saved yet."""
    if row._state.adding:
        return ""
    if hasattr(row, "updated_at"):
        return row.updated_at.isoformat()
    values = repr([(field.attname, field.value_from_object(row)) for field in row._meta.concrete_fields])
    return hashlib.sha256(values.encode()).hexdigest()[:20]


def show_refusal(form: forms.BaseForm, refusal: HimsError) -> None:
    """Show a refusal at the fields it names, or on top of the form."""
    rows = (
        refusal.details["errors"]
        if isinstance(refusal, Invalid)
        else [{"field": refusal.details.get("field", ""), "issue": refusal.message}]
    )
    for row in rows:
        name = row["field"].replace(".", "_")
        form.add_error(name if name in form.fields else None, row["issue"])


def _shown(form: forms.BaseForm, name: str, value: Any) -> str:
    if value in (None, "", []):
        return "(empty)"
    choices = dict(getattr(form.fields[name], "choices", ()))
    return str(choices.get(value, ", ".join(map(str, value)) if isinstance(value, list) else value))


def _last_change(row: models.Model) -> tuple[str, str]:
    """Who made the last change, as the trail has it, and the time of day in the clinic."""
    changed_at = getattr(row, "updated_at", None)
    if changed_at is None:
        return "somebody", ""
    author = audit_log.get().last_author(row.pk, since=changed_at - _SAME_MOMENT)
    person = get_user_model().objects.filter(pk=author).first()
    return str(person or "somebody"), timezone.localtime(changed_at).strftime("%H:%M")
