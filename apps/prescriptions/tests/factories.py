"""A small catalogue, and drugs of one's own."""

from apps.access.actor import SYSTEM
from apps.prescriptions.catalogue.services import keeping
from apps.prescriptions.catalogue.services.keeping import NewDrug
from apps.prescriptions.models import Drug, KnowledgeEntry
from apps.prescriptions.safety.services import keeping as knowledge

_SMALL = (
    NewDrug(name="Lisinopril 10 MG Oral Tablet", brand_names=("Prinivil", "Zestril"), use="blood pressure", source="test"),
    NewDrug(name="Amoxicillin 500 MG Oral Capsule", brand_names=("Amoxil",), use="infection", source="test"),
    NewDrug(
        name="Amoxicillin 875 MG / Clavulanate 125 MG Oral Tablet", brand_names=("Augmentin",), use="infection", source="test"
    ),
    NewDrug(name="Amoxicillin 50 MG/ML Oral Suspension", brand_names=("Amoxil",), use="infection", source="test"),
    NewDrug(name="Metformin hydrochloride 500 MG Oral Tablet", brand_names=("Glucophage",), use="diabetes", source="test"),
    NewDrug(name="Metoprolol tartrate 50 MG Oral Tablet", use="blood pressure", source="test"),
    NewDrug(name="Metronidazole 500 MG Oral Tablet", use="infection", source="test"),
    NewDrug(name="Hydroxyzine hydrochloride 25 MG Oral Tablet", use="itching", source="test"),
    NewDrug(name="Hydralazine hydrochloride 25 MG Oral Tablet", use="blood pressure", source="test"),
    NewDrug(name="Simvastatin 10 MG", use="cholesterol", source="test"),  # without a form: not offered
)


def catalogue() -> dict[str, Drug]:
    """Adds the small catalogue. Returns its drugs by name."""
    return {row.name: row for row in keeping.store(_SMALL)}


def add_drug(name: str = "Ramipril 5 MG Oral Capsule", **more: object) -> Drug:
    """Adds one drug."""
    return keeping.add_drug(by=SYSTEM, new=NewDrug(name=name, source="test", **more))  # type: ignore[arg-type]  # fields of a drug


def add_rule() -> KnowledgeEntry:
    """Adds the knowledge that comes with HIMS. Returns one of its interactions."""
    knowledge.load_seed()
    return KnowledgeEntry.objects.get(key="digoxin + verapamil")
