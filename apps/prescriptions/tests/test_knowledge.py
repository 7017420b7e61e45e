"""The table of drug knowledge: loaded, written, reviewed by another person, never edited."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client
from apps.common.errors import Invalid, NotFound
from apps.common.ids import new_id
from apps.events.models import OutboxEvent
from apps.prescriptions.models import DrugClass, Ingredient, IngredientClass, KnowledgeEntry, KnowledgeVersion
from apps.prescriptions.safety import selectors
from apps.prescriptions.safety.services import keeping
from apps.prescriptions.safety.services.keeping import AlreadyReviewed, OwnEntry, Retired, StillNamed
from apps.prescriptions.safety.tables import COLUMNS, TABLES
from apps.prescriptions.tests import factories

pytestmark = pytest.mark.django_db
PATH = "/pharmacy/interactions"
_PAIR = {
    "a": "ramipril",
    "b": "allopurinol",
    "severity": "moderate",
    "effect": "skin reactions",
    "management": "Stop at the first rash.",
    "group": "",
    "routes": "",
    "source": "label of allopurinol, section 7",
}


@pytest.fixture
def seed() -> None:
    keeping.load_seed()


@pytest.fixture
def pair(seed: None, staff: dict[str, User]) -> KnowledgeEntry:
    factories.add_drug()
    Ingredient.objects.get_or_create(name="allopurinol")
    return keeping.write_entry(by=staff["pharmacist"], table="interactions", row=_PAIR, reason="Seen in the label")


def test_the_seed_loads_once_and_says_that_no_one_has_reviewed_it(seed: None) -> None:
    again = keeping.load_seed()

    assert (again.added, again.replaced) == (0, 0)
    assert KnowledgeVersion.objects.count() == 1
    assert not KnowledgeEntry.objects.exclude(reviewer=None).exists()
    assert set(KnowledgeEntry.objects.values_list("table", flat=True)) == set(TABLES)
    assert OutboxEvent.objects.filter(name="drug.knowledge_changed").count() == 1


def test_every_row_of_a_table_with_sources_has_one() -> None:
    with_sources = [table for table in TABLES if "source" in COLUMNS[table]]

    assert [(table, row) for table in with_sources for row in keeping._read(table) if not row["source"].strip()] == []
    assert set(TABLES) - set(with_sources) == {"classes", "substance_names"}


def test_the_classes_of_a_drug_come_from_the_knowledge(seed: None) -> None:
    members = IngredientClass.objects.filter(ingredient__name="amoxicillin").values_list("drug_class__code", flat=True)

    assert set(members) == {"penicillin", "aminopenicillin"}
    assert DrugClass.objects.get(code="maoi").name == "MAO inhibitors"


def test_the_checks_read_the_knowledge_once_for_each_version(seed: None) -> None:
    first = selectors.knowledge()
    with CaptureQueriesContext(connection) as again:
        assert selectors.knowledge() is first

    assert len(again) == 3
    assert first.version == "1"
    assert len(first.interactions) == KnowledgeEntry.objects.filter(table="interactions").count()


def test_a_written_entry_is_known_to_the_checks_and_not_reviewed(pair: KnowledgeEntry) -> None:
    known = selectors.knowledge()

    assert any(row.effect == "skin reactions" for _, row in known.pairs("ramipril"))
    assert known.version == "2"
    assert (pair.reviewer_id, pair.since_version) == (None, 2)


def test_an_entry_about_the_same_pair_replaces_the_former_one(pair: KnowledgeEntry, staff: dict[str, User]) -> None:
    turned = _PAIR | {"a": "allopurinol", "b": "ramipril", "severity": "major"}

    keeping.write_entry(by=staff["pharmacist"], table="interactions", row=turned, reason="More serious")

    pair.refresh_from_db()
    assert pair.retired_at is not None
    (now,) = KnowledgeEntry.objects.current().filter(key=pair.key)
    assert now.data["severity"] == "major"


def test_loading_the_seed_again_keeps_what_the_pharmacy_wrote(seed: None, staff: dict[str, User]) -> None:
    row = KnowledgeEntry.objects.get(table="interactions", key="digoxin + verapamil").data
    keeping.write_entry(
        by=staff["pharmacist"], table="interactions", row=row | {"management": "Halve digoxin."}, reason="Our rule"
    )

    assert keeping.load_seed().replaced == 0
    assert KnowledgeEntry.objects.current().get(key="digoxin + verapamil").data["management"] == "Halve digoxin."


def test_the_author_does_not_review_and_another_person_does(pair: KnowledgeEntry, staff: dict[str, User]) -> None:
    with pytest.raises(OwnEntry):
        keeping.review_entry(by=staff["pharmacist"], entry_id=pair.pk)

    reviewed = keeping.review_entry(by=staff["doctor"], entry_id=pair.pk)

    assert (reviewed.reviewer_id, reviewed.reviewed_at is not None) == (staff["doctor"].pk, True)
    with pytest.raises(AlreadyReviewed):
        keeping.review_entry(by=staff["doctor"], entry_id=pair.pk)


def test_a_retired_entry_is_readable_and_no_longer_known(pair: KnowledgeEntry, staff: dict[str, User]) -> None:
    keeping.retire_entry(by=staff["pharmacist"], entry_id=pair.pk, reason="Withdrawn by the label")

    assert not any(row.effect == "skin reactions" for _, row in selectors.knowledge().pairs("ramipril"))
    assert KnowledgeEntry.objects.filter(pk=pair.pk).exists()
    for again in (keeping.review_entry, lambda **call: keeping.retire_entry(**call, reason="Again")):
        with pytest.raises(Retired):
            again(by=staff["doctor"], entry_id=pair.pk)


def test_loading_the_seed_again_keeps_what_the_pharmacy_retired(seed: None, staff: dict[str, User]) -> None:
    retired = KnowledgeEntry.objects.get(table="interactions", key="digoxin + verapamil")
    keeping.retire_entry(by=staff["pharmacist"], entry_id=retired.pk, reason="Not true here")

    assert keeping.load_seed().added == 0

    changed: dict[str, list[Any]] = {table: keeping._read(table) for table in TABLES}
    row = next(one for one in changed["interactions"] if keeping.key_of("interactions", one) == retired.key)
    row["effect"] = "another effect"
    assert keeping.load(rows=changed, reason="A later release").added == 1


def test_a_class_that_other_rules_name_cannot_be_retired(seed: None, staff: dict[str, User]) -> None:
    maoi = KnowledgeEntry.objects.get(table="classes", key="maoi")

    with pytest.raises(StillNamed):
        keeping.retire_entry(by=staff["pharmacist"], entry_id=maoi.pk, reason="Outdated")

    assert selectors.knowledge().classes["maoi"]


def test_a_drug_leaves_a_class_whose_member_is_retired(seed: None, staff: dict[str, User]) -> None:
    member = KnowledgeEntry.objects.get(table="class_members", key="penicillin + amoxicillin")

    keeping.retire_entry(by=staff["pharmacist"], entry_id=member.pk, reason="Wrong class")

    assert not IngredientClass.objects.filter(ingredient__name="amoxicillin", drug_class__code="penicillin").exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"severity": "bad"}, "data"),
        ({"a": "class:unknown"}, "a"),
        ({"b": "ramipril"}, "b"),
        ({"a": "Ramiprill"}, "a"),
        ({"source": " "}, "source"),
    ],
)
def test_a_bad_entry_names_the_field(pair: KnowledgeEntry, staff: dict[str, User], change: dict[str, str], field: str) -> None:
    before = KnowledgeVersion.objects.count()
    with pytest.raises(Invalid) as refused:
        keeping.write_entry(by=staff["pharmacist"], table="interactions", row=_PAIR | change, reason="x")

    assert refused.value.details["field"] == field
    assert KnowledgeVersion.objects.count() == before


def test_an_unknown_entry_is_not_found() -> None:
    with pytest.raises(NotFound):
        keeping.review_entry(by=SYSTEM, entry_id=new_id())


@pytest.mark.parametrize("statement", ["UPDATE {} SET data = '{{}}'", "UPDATE {} SET key = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_edit_an_entry(pair: KnowledgeEntry, statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match=r"entry .* of the drug knowledge"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format("prescriptions_knowledgeentry"))


def test_the_database_refuses_to_change_a_review(pair: KnowledgeEntry, staff: dict[str, User]) -> None:
    keeping.review_entry(by=staff["doctor"], entry_id=pair.pk)

    with pytest.raises(DatabaseError, match="stays as it is"), transaction.atomic():
        KnowledgeEntry.objects.filter(pk=pair.pk).update(reviewer=staff["pharmacist"])
    with pytest.raises(DatabaseError, match="only added to"), transaction.atomic():
        KnowledgeVersion.objects.update(reason="x")


def test_the_database_refuses_a_review_by_the_author(pair: KnowledgeEntry, staff: dict[str, User]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        KnowledgeEntry.objects.filter(pk=pair.pk).update(reviewer=staff["pharmacist"], reviewed_at=pair.created_at)
    with pytest.raises(IntegrityError), transaction.atomic():
        KnowledgeEntry.objects.filter(pk=pair.pk).update(reviewed_at=pair.created_at)


def test_a_table_that_cannot_be_read_loads_nothing() -> None:
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    rows["interactions"] = [_PAIR | {"severity": "awful"}]

    with pytest.raises(ValueError, match="interactions, row 1"):
        keeping.load(rows=rows, reason="x")
    assert not KnowledgeEntry.objects.exists()


def test_the_command_says_that_no_clinician_has_reviewed_it() -> None:
    output = io.StringIO()

    call_command("load_drug_knowledge", stdout=output)

    assert "No clinician has reviewed them." in output.getvalue()


class TestApi:
    def test_the_interactions_of_a_drug_and_its_classes_are_listed(self, seed: None, staff: dict[str, User]) -> None:
        reply = api_client(staff["pharmacist"]).get(f"{PATH}?drug=simvastatin&limit=100").json()["data"]

        pairs = {frozenset((row["a"], row["b"])) for row in reply["interactions"]}
        assert frozenset(("simvastatin", "verapamil")) in pairs
        assert frozenset(("class:statin_cyp3a4", "class:cyp3a4_inhibitor_strong")) in pairs
        assert all({"simvastatin", "class:statin_cyp3a4", "class:statin"} & pair for pair in pairs)
        assert reply["knowledge_base"] == {
            "name": "HIMS drug knowledge",
            "version": "1",
            "rows": KnowledgeEntry.objects.count(),
            "reviewed": 0,
            "scope": "not exhaustive",
        }

    def test_a_nurse_does_not_read_the_table(self, staff: dict[str, User]) -> None:
        assert api_client(staff["nurse"]).get(PATH).status_code == 403

    def test_the_statements_of_a_page_do_not_grow(self, seed: None, staff: dict[str, User]) -> None:
        pharmacist = api_client(staff["pharmacist"])
        pharmacist.get(PATH)
        with CaptureQueriesContext(connection) as few:
            pharmacist.get(f"{PATH}?limit=1")
        with CaptureQueriesContext(connection) as many:
            pharmacist.get(f"{PATH}?limit=100")

        assert len(many) == len(few)
