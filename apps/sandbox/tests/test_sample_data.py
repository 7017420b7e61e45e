"""The sample data, created once for all tests of this module. Each test takes back its own changes."""

import pytest

from apps.access.actor import SYSTEM
from apps.accounts.models import Doctor, User
from apps.common.tests.shared_rows import shared_rows
from apps.events.models import OutboxEvent
from apps.notifications import selectors as notifications
from apps.notifications.models import Notification
from apps.patients import services as patients
from apps.patients.models import AllergyStatus, ChartEntry, Patient
from apps.prescriptions.catalogue.services import loading
from apps.prescriptions.models import Drug, DrugIngredient, KnowledgeEntry
from apps.rest import sample_ids as names
from apps.sandbox import selectors, services
from apps.sandbox.models import SampleData
from apps.sandbox.samples import charts
from apps.sandbox.samples.sample_ids import EXAMPLE_IDS, SAMPLE_IDS
from apps.sandbox.samples.staff import PASSWORD
from apps.sandbox.services import SeedResult
from apps.sandbox.tests.conftest import with_few_patients
from apps.sandbox.tests.test_services import state

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def hospital(django_db_setup, django_db_blocker):
    with shared_rows(django_db_blocker), pytest.MonkeyPatch.context() as patch:
        with_few_patients(patch)
        yield services.seed(by=SYSTEM)


def test_the_second_run_changes_nothing(hospital):
    before, facts = state(), OutboxEvent.objects.count()
    assert services.seed(by=SYSTEM) == SeedResult()
    assert state() == before
    assert OutboxEvent.objects.count() == facts


def test_the_second_run_asks_one_question(hospital, django_assert_num_queries):
    with django_assert_num_queries(1):
        services.seed(by=SYSTEM)


def test_only_what_is_missing_is_added_when_the_sample_data_have_changed(hospital):
    SampleData.objects.update(fingerprint="of an older release")
    before = state()
    assert services.seed(by=SYSTEM) == SeedResult()
    assert state() == before
    assert selectors.is_seeded_with(charts.fingerprint())


def test_a_sandbox_of_an_older_release_gets_the_drugs_that_it_lacks(hospital):
    lisinopril = Drug.objects.get(pk=EXAMPLE_IDS["drug_001"])
    pimozide = Drug.objects.get(rxnorm_name="Pimozide 2 MG Oral Tablet")
    DrugIngredient.objects.filter(drug=pimozide).delete()
    pimozide.delete()
    SampleData.objects.update(fingerprint="of an older release")

    services.seed(by=SYSTEM)

    assert Drug.objects.filter(rxnorm_name="Pimozide 2 MG Oral Tablet", is_offered=True).count() == 1
    assert (lisinopril.name, KnowledgeEntry.objects.current().exists()) == ("lisinopril 10 mg tablet", True)


def test_other_drug_files_are_other_sample_data(monkeypatch, tmp_path):
    before = charts.fingerprint()
    (tmp_path / "drugs.csv").write_text("rxcui,name,ingredients,brands,schedule,use,source\n")
    monkeypatch.setattr(loading, "SEED", tmp_path / "drugs.csv")

    assert charts.fingerprint() != before


def test_everything_that_is_written_down_is_laid_out(hospital, expected):
    assert hospital == expected


def test_john_doe_stands_as_printed_and_heads_the_list(hospital):
    john = Patient.objects.order_by("-seq").first()
    assert (john.pk, john.mrn, john.phone, john.phone_e164) == (SAMPLE_IDS["patient_001"], "MRN001", "+1-555-0123", "")
    assert john.insurance_policy_number == "BC123456"
    assert john.allergy_status == AllergyStatus.LISTED


def test_mrn002_stays_free_for_the_example_of_the_reference(hospital):
    assert not Patient.objects.filter(mrn__iexact="MRN002").exists()


def test_the_three_states_of_an_allergy_list_are_all_there(hospital):
    assert set(Patient.objects.values_list("allergy_status", flat=True)) == set(AllergyStatus)


def test_dr_smith_signs_in_with_the_printed_password(hospital):
    smith = User.objects.get(username="dr.smith")
    assert smith.check_password(PASSWORD)
    assert Doctor.objects.get(pk=SAMPLE_IDS["doctor_001"]).taxonomy == "207Q00000X"


def test_an_entry_says_who_recorded_it_and_where_it_came_from(hospital):
    line = ChartEntry.objects.filter(patient_id=SAMPLE_IDS["patient_003"], code="2823-3", detail__flag="critical_high").get()
    assert line.recorded_by.username == "lab.chen"
    assert line.source == ChartEntry.Source.SANDBOX
    assert float(line.value) == 6.4


def test_an_alias_stands_for_its_row(hospital):
    assert Patient.objects.filter(pk=names.resolve("patient_002")).exists()
    assert Doctor.objects.filter(pk=names.resolve("doctor_003")).exists()


def test_everybody_finds_notifications_read_and_unread(hospital):
    for person in User.objects.filter(is_active=True):
        unread = notifications.unread_count(visible_to=person)
        assert 2 <= unread < notifications.inbox(visible_to=person).count(), person.username
    assert notifications.sent(visible_to=User.objects.get(username="admin")).count() == 1


def test_what_was_reported_already_is_not_reported_again(hospital):
    SampleData.objects.update(fingerprint="of an older release")
    before = Notification.objects.count()
    services.seed(by=SYSTEM)
    assert Notification.objects.count() == before


def test_one_chart_of_the_ward_is_restricted_and_stays_as_people_left_it(hospital):
    closed = Patient.objects.get(restricted=True)
    people = {user.username: user for user in User.objects.all()}
    seen = {name for name, user in people.items() if Patient.objects.visible_to(user).filter(pk=closed.pk).exists()}
    assert seen == {"dr.patel", "nurse.jones"}
    patients.lift_restriction(by=people["admin"], patient_id=closed.pk, reason="She asked for it")
    SampleData.objects.update(fingerprint="older")
    services.seed(by=SYSTEM)
    assert not Patient.objects.filter(restricted=True).exists()
