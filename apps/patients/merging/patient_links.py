"""A registry: which rows follow a patient into a merge, and back.

Every foreign key to a patient is declared once; a test over all models fails for one that is not. Apps above declare theirs
in their DomainConfig (`patient_links = ("appointments.Appointment.patient",)`), this app declares its own here:

    patient_links.moves("patients.ChartEntry", "patient")    # its rows follow; an undo asks whose those created since are
    patient_links.stays("patients.Merge", "retired", "describes the merge")

Rows that move must be written under the patient's lock (`get_for_update`). If a constraint does not allow the rows of both
records under one patient, the merge is refused and names the model.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.db.models import ForeignKey, Model, QuerySet

from apps.patients.models import Patient


@dataclass(frozen=True)
class PatientLink:
    """A foreign key whose rows follow. `born` is the column with the creation time of a row; empty: an undo does not ask."""

    model: str
    column: str
    born: str

    @property
    def kind(self) -> type[Model]:
        return apps.get_model(self.model)

    def rows_of(self, patient: Patient) -> QuerySet[Model]:
        """Returns the rows that point to the patient."""
        return self.kind._base_manager.filter(**{self.column: patient})


_moving: dict[tuple[str, str], PatientLink] = {}
_staying: dict[tuple[str, str], str] = {}


def moves(model: str, column: str, born: str = "created_at") -> None:
    """Declares a key whose rows follow the patient. `model` as in `app.Model`."""
    _moving[model, column] = PatientLink(model, column, born)


def stays(model: str, column: str, why: str) -> None:
    """Declares a key that keeps its target, or is handled separately."""
    _staying[model, column] = why


def links() -> list[PatientLink]:
    """Returns every key whose rows follow."""
    return list(_moving.values())


def links_of(model: str) -> list[PatientLink]:
    """Returns those of one model."""
    return [link for link in links() if link.model == model]


def undeclared(models: Iterable[type[Model]]) -> list[str]:
    """Returns the undeclared keys to a patient."""
    keys = [
        (model._meta.label, field.name)
        for model in models
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model is Patient
    ]
    return [".".join(key) for key in keys if key not in _moving and key not in _staying]


moves("patients.ChartEntry", "patient")
moves("patients.PatientIdentifier", "patient")
moves("patients.Patient", "merged_into", born="")  # records merged into the retired record lead to the survivor: always one step
moves("patients.Restriction", "patient", born="")
moves("patients.BreakGlass", "patient", born="")
stays("patients.CareTeamMember", "patient", "merging.services copies the retired record's team to the survivor")
stays("patients.NotDuplicate", "low", "merging.services rewrites the pair in order")
stays("patients.NotDuplicate", "high", "merging.services rewrites the pair in order")
stays("patients.DuplicateCandidate", "low", "a merged record leaves the queue; the survivor is compared again")
stays("patients.DuplicateCandidate", "high", "a merged record leaves the queue; the survivor is compared again")
stays("patients.Merge", "retired", "describes the merge")
stays("patients.Merge", "survivor", "describes the merge")
