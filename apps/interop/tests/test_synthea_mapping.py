"""What a row of the extract becomes, and what is refused before anything is written. No database."""

import gzip
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from apps.interop.synthea import facts, mapping, reader
from apps.interop.synthea.layout import SHEETS

FIXTURE = Path(__file__).parent / "fixtures" / "synthea"
CLINIC = ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def extract() -> reader.Extract:
    return reader.read(FIXTURE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "extract"))


def entries(extract: reader.Extract, given_name: str, sheet: str) -> list:
    patient = next(row for row in extract.patients if row.cells["given"].startswith(given_name))
    rows = extract.history[patient.cells["id"]]
    history = mapping.History.of(patient, rows, CLINIC)
    return [mapping.entry(row, history) for row in rows if row.sheet == sheet]


def rewrite(folder: Path, name: str, change) -> None:
    path = folder / f"{name}.csv.gz"
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))


class TestTheReader:
    def test_every_row_has_an_identity_of_its_own(self, extract):
        refs = [row.ref for row in extract.rows]
        assert len(refs) == len(set(refs)) == 50
        assert max(map(len, refs)) <= 120

    def test_the_identity_does_not_depend_on_the_run(self, extract):
        assert [row.ref for row in reader.read(FIXTURE).rows] == [row.ref for row in extract.rows]

    def test_parts_of_one_observation_share_an_id_and_not_an_identity(self, extract):
        rows = [row for row in extract.rows if row.sheet == "observations" and row.cells["component"]]
        assert len({row.cells["id"] for row in rows}) == 1
        assert len({row.ref for row in rows}) == 2

    def test_exactly_equal_rows_are_distinguished_by_their_count(self, extract):
        first, second = (row.ref for row in extract.rows if row.cells.get("display", "").startswith("Hep B"))
        assert second == f"{first}/2"

    def test_a_changed_order_of_columns_changes_no_identity(self, extract, folder):
        def swapped(text: bytes) -> bytes:
            lines = [line.split(b",") for line in text.splitlines()]
            return b"\n".join(b",".join([line[1], line[0], *line[2:]]) for line in lines)

        rewrite(folder, "claims", swapped)
        refs = {row.ref for row in extract.rows if row.sheet == "claims"}
        assert {row.ref for row in reader.read(folder).rows if row.sheet == "claims"} == refs

    @pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
    def test_a_missing_file_is_named(self, folder, sheet):
        (folder / sheet.file).unlink()
        with pytest.raises(reader.Unreadable, match=sheet.file):
            reader.read(folder)

    def test_a_missing_folder_names_all_nine(self, tmp_path):
        with pytest.raises(reader.Unreadable, match=r"patients\.csv\.gz.*claims\.csv\.gz"):
            reader.read(tmp_path / "nowhere")

    def test_a_file_that_was_cut_off_is_named(self, folder):
        path = folder / "observations.csv.gz"
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(reader.Unreadable, match=r"observations\.csv\.gz, after line \d+: the file ends too early"):
            reader.read(folder)

    def test_a_file_that_is_no_gzip_is_named(self, folder):
        (folder / "claims.csv.gz").write_text("id,patient\n")
        with pytest.raises(reader.Unreadable, match=r"claims\.csv\.gz.*[Nn]ot a gzipped file"):
            reader.read(folder)

    @pytest.mark.parametrize(
        ("name", "old", "new", "message"),
        [
            ("claims", b"currency", b"valuta", "claims.csv.gz, line 1: the column 'currency' is missing"),
            ("claims", b"payer\n", b"payer,extra\n", "line 1: column 10, 'extra', does not belong there"),
            ("claims", b"USD,2,private", b"USD,2", "claims.csv.gz, line 2: 8 columns instead of 9"),
            (
                "patients",
                b"1940-11-30",
                b"1940-13-30",
                "patients.csv.gz, line 3, column 'birth_date': '1940-13-30' is not an ISO",
            ),
            ("patients", b"1940-11-30", b"", "patients.csv.gz, line 3, column 'birth_date': '' is not an ISO"),
            ("medications", b"2014-10-01", b"autumn", "medications.csv.gz, line 4, column 'authored': 'autumn' is not an ISO"),
            ("conditions", b"2018-02-10T15:00:00+00:00", b"2018-02-10T15:00:00", "column 'abatement': .* has no time zone"),
            ("allergies", b"shellfish", b"shell\0fish", "allergies.csv.gz, line 3, column 'display': contains a NUL character"),
            ("patients", "Ørsted".encode(), b"\xd8rsted", "patients.csv.gz, after line .*: not UTF-8"),
            ("procedures", b"Colonoscopy", b'"Colonoscopy', "procedures.csv.gz, after line"),
        ],
    )
    def test_what_cannot_be_read_is_named_by_file_line_and_column(self, folder, name, old, new, message):
        rewrite(folder, name, lambda text: text.replace(b"Shellfish", b"shellfish").replace(old, new))
        with pytest.raises(reader.Unreadable, match=message):
            reader.read(folder)

    def test_a_patient_listed_twice_is_refused(self, folder):
        rewrite(folder, "patients", lambda text: text + text.splitlines()[1] + b"\n")
        with pytest.raises(reader.Unreadable, match="line 6, column 'id': repeats the patient of line 2"):
            reader.read(folder)


class TestThePerson:
    def test_states_are_two_letters_however_they_were_written(self, extract):
        assert {mapping.registration(row, CLINIC).state for row in extract.patients} == {"MA"}
        assert facts.state_code("District of Columbia") == "DC"
        assert facts.state_code("Bavaria") == "Bavaria"

    def test_the_other_systems_mrn_is_a_number_of_that_system(self, extract):
        ada = extract.patients[0]
        assert mapping.registration(ada, CLINIC).mrn == ""
        assert mapping.identifiers(ada) == {"synthea-mrn": ada.cells["mrn"]}

    def test_a_death_is_kept(self, extract):
        ben = mapping.registration(extract.patients[1], CLINIC)
        assert (ben.last_name, ben.deceased_at) == ("Ørsted", datetime(2016, 5, 20, 8, tzinfo=UTC))


class TestTheChart:
    def test_a_visit_is_a_note_with_its_reason(self, extract):
        _, emergency = entries(extract, "Ada", "encounters")
        assert (emergency.type, emergency.code, emergency.display) == ("note", "50849002", "Emergency room admission")
        assert emergency.detail == {"title": "Emergency visit", "text": "Reason: Asthma (SNOMED CT 195967001)"}
        assert emergency.ended_at == datetime(2020, 7, 9, 5, tzinfo=UTC)

    def test_a_misspelt_drug_is_spelt_right_and_its_reason_is_in_words(self, extract):
        simvastatin, amoxicillin = entries(extract, "Ada", "medications")
        assert simvastatin.display == "Simvastatin 10 MG"
        assert simvastatin.detail == {"frequency": "once a day", "reason": "Hypertension"}
        assert amoxicillin.display == "Amoxicillin 250 MG / Clavulanate 125 MG [Augmentin]"

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("1x/6h", "once every 6 hours"),
            ("3x/1d", "3 times a day"),
            ("2x/1h", "twice an hour"),
            ("as needed", "as needed"),
            ("", ""),
        ],
    )
    def test_dosing_is_described_in_words(self, written, read):
        assert mapping.dosing(written) == read

    def test_a_day_without_a_time_stays_a_day(self, extract):
        (acetaminophen,) = entries(extract, "Ben", "medications")
        assert (acetaminophen.occurred_on, acetaminophen.occurred_at) == ("2014-10-01", None)

    def test_an_allergy_dated_before_the_birth_is_kept_and_says_so(self, extract):
        peanuts, _ = entries(extract, "Cleo", "allergies")
        assert peanuts.occurred_at.date() == date(2012, 6, 15)
        assert peanuts.detail["note"] == "The source dates this 2010-12-14T00:37:44-05:00, before the birth."

    def test_dust_and_mould_are_no_food(self, extract):
        categories = {
            row.display: row.detail["category"] for name in ("Ada", "Cleo") for row in entries(extract, name, "allergies")
        }
        assert categories == {
            "Allergy to mould": "environment",
            "Shellfish allergy": "food",
            "Allergy to peanuts": "food",
            "House dust mite allergy": "environment",
        }

    def test_a_condition_that_ended_is_resolved(self, extract):
        (pharyngitis,) = entries(extract, "Cleo", "conditions")
        assert pharyngitis.status == "resolved"
        assert pharyngitis.detail == {"note": "The source marks it as active and gives an end."}

    def test_a_shot_is_dated_by_the_visit_it_was_given_at(self, extract):
        first, second = entries(extract, "Cleo", "immunizations")
        assert first.occurred_at == second.occurred_at == datetime(2012, 8, 20, 15, tzinfo=UTC)
        assert first.code == "08"
        assert "2010-02-17" in first.detail["note"]
        (influenza,) = entries(extract, "Ada", "immunizations")
        assert influenza.detail == {"note": ""}

    def test_both_readings_of_a_blood_pressure_stand_in_the_chart_with_the_units_as_entered(self, extract):
        systolic, diastolic, *_ = entries(extract, "Ada", "observations")
        assert (systolic.type, systolic.value, systolic.unit) == ("vital_sign", Decimal("148.25"), "mm[Hg]")
        assert (diastolic.value, diastolic.unit) == (Decimal(91), "mmHg")

    def test_invisible_characters_are_gone_and_text_results_keep_their_code(self, extract):
        _, _, leukocytes, protein, _ = entries(extract, "Ada", "observations")
        assert leukocytes.display == "Leukocytes [#/volume] in Blood by Automated count"
        assert protein.value is None
        assert protein.detail["value_text"] == "Urine protein test negative (finding) (SNOMED CT 167273002)"

    def test_a_survey_is_a_note_that_keeps_its_loinc_code(self, extract):
        *_, smoking = entries(extract, "Ada", "observations")
        assert (smoking.type, smoking.code_system, smoking.code) == ("note", "LOINC", "72166-2")
        assert smoking.detail == {"title": "Survey", "text": "Never smoker (SNOMED CT 266919005)"}

    def test_a_measured_finding_outside_laboratory_and_vital_signs_keeps_its_unit(self, extract):
        _, polyp, ejection, _ = entries(extract, "Dan", "observations")
        assert (polyp.type, polyp.detail["text"]) == ("note", "7 mm")
        assert (ejection.type, ejection.value, ejection.unit) == ("vital_sign", Decimal("58.2"), "%")

    def test_a_number_the_chart_cannot_hold_exactly_is_kept_as_text(self, extract):
        ada = extract.patients[0]
        row = next(row for row in extract.history[ada.cells["id"]] if row.cells.get("loinc") == "8480-6")
        odd = reader.Row("observations", 2, "ref", {**row.cells, "value": "1.0123456789"})
        entry = mapping.entry(odd, mapping.History.of(ada, (), CLINIC))
        assert (entry.value, entry.detail) == (None, {"value_text": "1.0123456789"})

    def test_a_text_that_shows_nothing_is_reported_in_words(self, extract):
        ada = next(patient for patient in extract.patients if patient.cells["given"] == "Ada")
        row = next(row for row in extract.history[ada.cells["id"]] if row.sheet == "conditions")
        blank = reader.Row("conditions", 2, "ref", {**row.cells, "display": "\u200b"})
        with pytest.raises(mapping.NotImportable, match="only invisible characters"):
            mapping.entry(blank, mapping.History.of(ada, (), CLINIC))

    def test_claims_and_unknown_statuses_have_no_home(self, extract):
        with pytest.raises(mapping.NotImportable, match="Claims of another system"):
            entries(extract, "Ada", "claims")
        with pytest.raises(mapping.NotImportable, match="The status 'entered-by-mistake' is unknown"):
            entries(extract, "Dan", "medications")
