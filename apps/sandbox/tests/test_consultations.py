"""The toy hospital's visits."""

from collections import defaultdict
from itertools import pairwise
from random import Random

import pytest
import simple_icd_10_cm

from apps.access.actor import SYSTEM
from apps.appointments.models import Appointment
from apps.consultations import selectors, services
from apps.consultations.models import Consultation
from apps.consultations.steps import definitions
from apps.consultations.steps.definitions import Step
from apps.patients.models import ChartEntry
from apps.sandbox.samples import consultations
from apps.sandbox.samples.sample_ids import SAMPLE_IDS
from apps.sandbox.samples.staff import ID_OF
from apps.sandbox.services import SeedResult


def test_every_diagnosis_is_a_code_that_can_be_billed_under_its_own_name() -> None:
    for story in consultations.STORIES:
        for code, name in story.codes.items():
            assert simple_icd_10_cm.is_leaf(code), code
            assert simple_icd_10_cm.get_description(code) == name


@pytest.mark.parametrize("age", range(0, 100, 3))
def test_vital_signs_are_believable_at_every_age(age: int) -> None:
    for seed in range(5):
        data = consultations.vital_signs(Random(seed), age, 4 + 2 * min(age, 30))
        assert definitions.merged(Step.VITALS, {}, definitions.read(Step.VITALS, data)) == data


@pytest.mark.django_db
class TestWithSampleData:
    def test_every_appointment_that_took_place_has_its_visit_and_every_state_is_there(self, hospital: SeedResult) -> None:
        rows = Consultation.objects.select_related("appointment")
        assert {row.status for row in rows} >= {"in_progress", "on_hold", "completed", "cancelled"}
        assert {row.workflow_type for row in rows} == {"adaptive", "standard", "quick"}
        seen = {row.appointment_id: row for row in rows if row.appointment_id}
        for appointment in Appointment.objects.filter(status__in=["completed", "in_progress"]):
            row = seen[appointment.pk]
            assert (row.patient_id, row.doctor_id) == (appointment.patient_id, appointment.doctor_id)
            assert (row.status in ("completed", "amended")) == (appointment.status == "completed")
        assert {row.doctor_id for row in rows if row.status == "in_progress"} == {
            ID_OF[name] for name in ("dr.smith", "dr.patel", "dr.lee")
        }
        for row in rows:
            visit = selectors.details(row)
            if row.status in ("completed", "amended"):
                assert visit.progress.missing == ()
                assert services.content_sha256(row.pk, visit.saves.values()) == row.content_sha256
        assert ChartEntry.objects.filter(patient=SAMPLE_IDS["patient_001"], source="consultation", type="diagnosis").exists()
        assert consultations.create_samples(SYSTEM) == 0

    def test_no_patient_gains_or_loses_weight_overnight(self, hospital: SeedResult) -> None:
        measured = defaultdict(list)
        for patient_id, at, value in ChartEntry.objects.filter(code="29463-7").values_list("patient", "occurred_at", "value"):
            measured[patient_id].append((at, float(value)))
        for row in Consultation.objects.filter(status__in=["completed", "amended"]):
            save = selectors.details(row).saves[Step.VITALS]
            measured[row.patient_id].append((save.saved_at, save.data["weight_kg"]))
        assert sum(len(rows) > 1 for rows in measured.values()) > 5
        for rows in measured.values():
            for (before, weight), (at, later) in pairwise(sorted(rows)):
                years = (at - before).days / 365
                assert abs(later - weight) <= weight * (0.04 + 0.08 * years) + (12 * years if weight < 60 else 0), (
                    weight,
                    later,
                )

    def test_the_rules_have_a_word_about_what_goes_on_now(self, hospital: SeedResult) -> None:
        live = {row.doctor_id: selectors.details(row) for row in Consultation.objects.filter(status="in_progress")}
        assert [alert["rule_id"] for alert in live[ID_OF["dr.patel"]].open_alerts] == ["redflag.pressure"]
        assert "child.vitals" in {line["rule_id"] for line in live[ID_OF["dr.lee"]].row.guidance["requires"]}
        waiting = Consultation.objects.get(status="on_hold")
        resumed = services.resume(by=SYSTEM, consultation_id=waiting.pk)
        assert resumed.saves[Step.VITALS].data["bp"] == "128/82"
