"""The people and patients of audit rows, by name."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.accounts.models import User
from apps.common.text import isolated
from apps.patients import selectors as patients
from apps.patients.models import Patient
from apps.rest import sample_ids


def users_named(text: str) -> QuerySet[User, UUID]:
    """Returns the ids of the users with this name, username or e-mail, or with this id."""
    fits = accounts.staff_named(User.objects.order_by(), text.strip())
    if user_id := sample_ids.resolve(text.strip()):
        fits = User.objects.filter(pk=user_id)
    return fits.values_list("pk", flat=True)


def patients_named(text: str, by: Actor) -> list[UUID]:
    """Returns the ids of the patients with this name or MRN among those that the reader may know of, or the id itself."""
    if patient_id := sample_ids.resolve(text.strip()):
        return [patient_id]
    known = Patient.objects.visible_to(by)
    return [*patients.search_within(known, text.strip(), by).order_by().values_list("pk", flat=True)]


def name(rows: Iterable[Any], by: Actor) -> None:
    """Sets `user_name` and `patient_name` of audit rows; no name of a patient that the reader may not know of. Two queries."""
    rows = [*rows]
    users = User.objects.filter(pk__in={row.user_id for row in rows})
    names = {user.pk: f"{user.first_name} {user.last_name}".strip() or user.username for user in users}
    known = Patient.objects.visible_to(by).filter(pk__in={row.patient_id for row in rows})
    records = {patient.pk: f"{isolated(patient.filed_name)} ({patient.mrn})" for patient in known}
    for row in rows:
        row.user_name = names.get(row.user_id, "")
        row.patient_name = records.get(row.patient_id, _("A restricted record")) if row.patient_id else ""
