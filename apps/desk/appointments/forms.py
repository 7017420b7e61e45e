"""Forms of appointments. They check the shape of values; the services decide."""

from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.access.roles import Role
from apps.accounts.models import User
from apps.appointments import rules
from apps.appointments.models import Appointment, Room
from apps.appointments.models.appointments import Triage
from apps.appointments.scheduling.free_times import FreeTime
from apps.desk.appointments import labels, moments
from apps.desk.kit.forms import ServiceForm

ALTERNATIVE, SLOT, LOOK, PREVIEW = "alternative", "slot", "look", "preview"  # names of buttons and radios
_OTHER_DOCTOR = _("The time that you chose is with %(other)s. Choose one of the times of %(doctor)s, or change the doctor.")


class DayInput(forms.DateInput):
    """The browser's date picker, which works without a script."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class ClockInput(forms.TimeInput):
    """The browser's time picker."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class MomentWidget(forms.SplitDateTimeWidget):
    """A day and a time."""

    def __init__(self) -> None:
        super(forms.SplitDateTimeWidget, self).__init__((DayInput(), ClockInput()))


class DayField(forms.DateField):
    """A day in a year that can be meant."""

    widget = DayInput

    def validate(self, value: Any) -> None:
        super().validate(value)
        _refuse_slip(value)


class MomentField(forms.SplitDateTimeField):
    """A day and a time, in a year that can be meant."""

    widget = MomentWidget

    def compress(self, data_list: Any) -> Any:
        _refuse_slip(data_list[0] if data_list else None)
        return super().compress(data_list)


def _refuse_slip(day: Any) -> None:
    if day and moments.is_slip(day):
        raise forms.ValidationError(_("Check the year."))


class DoctorField(forms.ModelChoiceField[User]):
    """Active doctors; `include` adds the one that is already chosen."""

    def __init__(self, *, empty_label: Any = "Choose a doctor", **kwargs: Any) -> None:
        super().__init__(queryset=User.objects.none(), empty_label=empty_label, **kwargs)

    def offer(self, include: Any = None) -> None:
        here = Q(is_active=True, role=Role.DOCTOR) | Q(pk=include)
        self.queryset = User.objects.filter(here).order_by("last_name", "first_name", "pk")

    def offer_only(self, user: Any) -> None:
        """Offers only this user, for doctors who may act only in their own schedule."""
        self.queryset = User.objects.filter(pk=user.pk)

    def label_from_instance(self, obj: Any) -> str:
        first_name = "" if obj.first_name.rstrip(".").casefold() == "dr" or not obj.last_name else obj.first_name
        return ", ".join(part for part in (labels.doctor(obj), first_name) if part)


class RoomField(forms.ModelChoiceField[Room]):
    """Rooms in use."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Room.objects.none(), required=False, empty_label="No room", **kwargs)

    def offer(self, include: Any = None) -> None:
        self.queryset = Room.objects.filter(Q(is_active=True) | Q(pk=include)).order_by("location", "name", "pk")


def choice(at: datetime, doctor_id: UUID) -> str:
    """Returns the value of a button or radio button that chooses a time of a doctor."""
    return f"{at.isoformat()}/{doctor_id}"


def read_choice(text: str) -> tuple[datetime | None, UUID | None]:
    """Returns the time and the doctor of such a value; None for what it does not name."""
    time, _slash, doctor = text.partition("/")
    try:
        return moments.instant(time), UUID(doctor) if doctor else None
    except ValueError:
        return None, None


class AppointmentForm(ServiceForm[Appointment]):
    """An appointment's time, doctor and room. A time chosen by a button or a radio button takes precedence over a typed one."""

    doctor = DoctorField()
    room = RoomField()
    scheduled_time = MomentField(label="When", required=False)
    appointment_type = forms.ChoiceField(label="Type", choices=labels.TYPES)
    duration_minutes = forms.IntegerField(
        label="Minutes", min_value=rules.SHORTEST, max_value=rules.LONGEST, help_text=f"{rules.SHORTEST} to {rules.LONGEST}"
    )
    overbook_reason = forms.CharField(
        label=_("Reason for double booking"),
        required=False,
        max_length=400,
        help_text=_("Books the appointment although the doctor is booked then. Leave it empty for a time of its own."),
    )

    notify_patient = forms.BooleanField(
        label=_("Tell the patient"),
        required=False,
        initial=True,
        help_text=_("Sends an e-mail if you change the time or the doctor. Untick it if the patient already knows."),
    )

    questions = ("notify_patient",)
    without_time: ClassVar[Any] = _("Choose a time.")

    class Meta:
        model = Appointment
        fields = ("scheduled_time", "duration_minutes", "appointment_type", "doctor", "room", "notes", "overbook_reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("doctor", "room"):
            if name in self.fields:
                cast("DoctorField | RoomField", self.fields[name]).offer(getattr(self.instance, f"{name}_id", None))

    @property
    def picked(self) -> datetime | None:
        """Returns the time chosen by a button or a radio button."""
        return read_choice(self._choice())[0]

    def _choice(self) -> str:
        return (self.data.get(ALTERNATIVE) or self.data.get(SLOT) or "") if self.is_bound else ""

    @property
    def shows_overbook_reason(self) -> bool:
        """Returns whether the page asks why the doctor is booked twice: it does once the time is taken."""
        return "overbook_reason" in self.fields and ("doctor" in self.taken or bool(self["overbook_reason"].value()))

    def clean(self) -> dict[str, Any]:
        if "scheduled_time" in self.fields:
            self._settle_time()
        return super().clean()

    def _settle_time(self) -> None:
        if self.picked:
            self.errors.pop("scheduled_time", None)
            self.cleaned_data["scheduled_time"] = self.instance.scheduled_time = self.picked
            if "scheduled_time" not in self.changed_data:
                self.changed_data.append("scheduled_time")
        elif self._is_same_minute():
            self.cleaned_data["scheduled_time"] = self.instance.scheduled_time = self.initial["scheduled_time"]
            self.changed_data[:] = [name for name in self.changed_data if name != "scheduled_time"]
        elif not self.cleaned_data.get("scheduled_time") and "scheduled_time" not in self.errors:
            self.add_error("scheduled_time", self.without_time)

    def _is_same_minute(self) -> bool:
        """Returns whether the typed time is the stored one to the minute. The form has no seconds, but an API client may have
        sent some."""
        was, typed = self.initial.get("scheduled_time"), self.cleaned_data.get("scheduled_time")
        return was is not None and typed is not None and was.replace(second=0, microsecond=0) == typed

    @property
    def alternatives(self) -> list[dict[str, str]]:
        """Returns the free times after a conflict, one button each."""
        alternatives = self.refusal.details.get("alternatives", []) if self.refusal else []
        return [
            {"value": choice(one["scheduled_time"], one["doctor_id"]), "label": labels.moment(one["scheduled_time"])}
            for one in alternatives
        ]

    @property
    def taken(self) -> list[str]:
        """Returns what is taken at the requested time."""
        return list(self.refusal.details.get("taken", [])) if self.refusal else []


class BookForm(AppointmentForm):
    """A new appointment: the first free times to choose from, or a typed time."""

    duration_minutes = forms.IntegerField(
        label="Minutes",
        required=False,
        min_value=rules.SHORTEST,
        max_value=rules.LONGEST,
        help_text="Leave empty for the doctor’s usual length of this type.",
    )
    slot = forms.CharField(label=_("Free times"), required=False, widget=forms.RadioSelect)  # read by `picked`

    field_order = ("appointment_type", "doctor", "slot", "scheduled_time", "duration_minutes", "room", "notes", "overbook_reason")

    @property
    def is_preview(self) -> bool:
        """Returns whether the user asked for a preview, which books nothing."""
        return self.is_bound and (LOOK in self.data or PREVIEW in self.data)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.is_preview:
            self.add_error(None, "Nothing has been booked yet.")
        return cleaned

    def offer(self, free: list[Any]) -> None:
        """Offers the free times."""
        own = ("", "The time in the boxes below")
        self.fields[SLOT].widget.choices = [*((span.start.isoformat(), labels.moment(span.start)) for span in free), own]


class NewAppointmentForm(BookForm):
    """One new appointment: the first free times of any doctor or of a chosen one, or another time."""

    doctor = DoctorField(required=False, empty_label=_("Any doctor"))
    appointment_type = forms.ChoiceField(label=_("Type"), choices=labels.TYPES)
    notes = forms.CharField(
        label=_("Reason"), required=False, max_length=4_000, help_text=_("Optional, like: sore throat"), widget=forms.TextInput
    )
    without_time = _("Choose one of the free times, or a doctor and another time.")

    def clean(self) -> dict[str, Any]:
        self._settle_doctor()
        return super().clean()

    def _settle_doctor(self) -> None:
        """Takes the doctor of the chosen time. A time that was typed needs a doctor, and a time of another doctor than the chosen
        one is refused: the times were of the doctor who was chosen before."""
        at, doctor_id = read_choice(self._choice())
        offered: Any = self.fields["doctor"]
        chosen = self.cleaned_data.get("doctor")
        if at is None or doctor_id is None:
            if not chosen and "doctor" not in self.errors and self.cleaned_data.get("scheduled_time"):
                self.add_error("doctor", _("Choose a doctor, or one of the free times."))
            return
        doctor = offered.queryset.filter(pk=doctor_id).first()
        if doctor is None:
            self.add_error("doctor", _("The doctor of the time that you chose is no longer available. Choose another time."))
        elif chosen and chosen != doctor:
            self.add_error("doctor", _OTHER_DOCTOR % {"other": labels.doctor(doctor), "doctor": labels.doctor(chosen)})
        else:
            self.errors.pop("doctor", None)
            self.cleaned_data["doctor"] = self.instance.doctor = doctor

    def offer_times(self, free: list[FreeTime]) -> None:
        """Offers the free times, each with its doctor."""
        times = [(choice(one.span.start, one.doctor.pk), one) for one in free]
        self.times = [
            {
                "value": value,
                "when": labels.short_moment(one.span.start),
                "doctor": labels.doctor(one.doctor.user),
                "is_chosen": value == self[SLOT].value(),
            }
            for value, one in times
        ]

    times: list[dict[str, Any]] = []  # what `offer_times` offers


class EarlyForm(forms.Form):
    """Asks whether an appointment of another day is meant."""

    early = forms.BooleanField(
        label="I want this appointment",
        help_text="The appointment is not today. First check whether the patient has another appointment today.",
        error_messages={"required": "The appointment is on another day. Confirm that you want this one, or go back."},
    )


class CancelForm(forms.Form):
    """Asks for the reason, from a list and in words, and whether the patient is notified."""

    cause = forms.ChoiceField(
        label=_("Reason"),
        required=False,
        choices=[
            (word, word)
            for word in (
                _("Patient asked"),
                _("Patient is ill"),
                _("Doctor is away"),
                _("Booked by mistake"),
                _("Another reason"),
            )
        ],
    )
    reason = forms.CharField(label=_("In words"), max_length=300, required=False, help_text=_("Optional, for the clinic."))
    notify_patient = forms.BooleanField(
        label=_("Tell the patient"),
        required=False,
        initial=True,
        help_text=_("Sends an e-mail that the appointment is cancelled."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        parts = [cleaned.get(name, "").strip() for name in ("cause", "reason")]
        cleaned["reason"] = ": ".join(part for part in parts if part)
        return cleaned


class TriageForm(forms.Form):
    """Asks how soon the patient should be seen."""

    triage = forms.ChoiceField(
        label=_("Priority"), choices=labels.TRIAGE.items(), initial=Triage.URGENT.value, widget=forms.RadioSelect
    )
    triage_reason = forms.CharField(label=_("Reason"), max_length=400, required=False)
