"""The doctors that the filters of lists offer."""

from apps.access.actor import Actor
from apps.accounts import selectors
from apps.desk.appointments import labels


def doctor_choices(by: Actor) -> list[tuple[str, str]]:
    """Returns the id and the name of each active doctor, by name. Reads no other columns: a hospital has hundreds of doctors."""
    doctors = selectors.doctors(visible_to=by).only("user__first_name", "user__last_name", "user__username")
    return [(str(doctor.pk), labels.doctor(doctor.user)) for doctor in doctors]
