"""Synthea's own CSV, values that other programs write, and made-up files: imported, or reported in plain words."""

import csv
import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.interop.synthea.layout import SHEETS
from apps.interop.tests.test_import_synthea import FIXTURE, lines, rewrite
from apps.patients.models import ChartEntry, Patient

ANN, BOB, ENC = "a1b2c3d4-0000-4000-8000-000000000001", "a1b2c3d4-0000-4000-8000-000000000002", "e-1"
# As Synthea 3.3 writes them; the people are made up.
NATIVE = {
    "patients": f"""Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,MIDDLE,LAST,SUFFIX,MAIDEN,MARITAL,RACE,ETHNICITY,\
GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,FIPS,ZIP,LAT,LON,HEALTHCARE_EXPENSES,HEALTHCARE_COVERAGE,INCOME
{ANN},1975-05-15,,999-11-1111,S1,X1,Mrs.,Ann,Kay,Doe,,Roe,M,white,nonhispanic,F,Boston,1 A St,Boston,Massachusetts,\
Suffolk County,25025,02101,42.3,-71.0,1.0,2.0,30000
{BOB},1950-03-04,2020-01-31,999-22-2222,,,Mr.,Bob,,Moe,,,S,black,nonhispanic,M,Boston,2 A St,Boston,Massachusetts,\
Suffolk County,25025,02101,42.3,-71.0,1.0,2.0,30000
""",
    "encounters": f"""Id,START,STOP,PATIENT,ORGANIZATION,PROVIDER,PAYER,ENCOUNTERCLASS,CODE,DESCRIPTION,BASE_ENCOUNTER_COST,\
TOTAL_CLAIM_COST,PAYER_COVERAGE,REASONCODE,REASONDESCRIPTION
{ENC},2019-05-05T10:00:00Z,2019-05-05T10:15:00Z,{ANN},o,p,q,wellness,162673000,General examination of patient,1,2,3,,
""",
    "allergies": f"""START,STOP,PATIENT,ENCOUNTER,CODE,SYSTEM,DESCRIPTION,TYPE,CATEGORY,REACTION1,DESCRIPTION1,SEVERITY1,\
REACTION2,DESCRIPTION2,SEVERITY2
1990-06-15,,{ANN},{ENC},7984,RxNorm,Penicillin V,allergy,medication,271807003,Eruption of skin,MILD,,,
""",
    "conditions": f"""START,STOP,PATIENT,ENCOUNTER,SYSTEM,CODE,DESCRIPTION
2015,2016-02,{ANN},{ENC},http://snomed.info/sct,59621000,Essential hypertension (disorder)
""",
    "medications": f"""START,STOP,PATIENT,PAYER,ENCOUNTER,CODE,DESCRIPTION,BASE_COST,PAYER_COVERAGE,DISPENSES,TOTALCOST,\
REASONCODE,REASONDESCRIPTION
2019-05-05T10:00:00Z,,{ANN},q,{ENC},314076,lisinopril 10 MG Oral Tablet,1,2,3,4,59621000,Essential hypertension (disorder)
""",
    "immunizations": f"""DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,BASE_COST
2019-05-05T10:00:00Z,{ANN},{ENC},140,"Influenza, seasonal, injectable, preservative free",136
""",
    "procedures": f"""START,STOP,PATIENT,ENCOUNTER,SYSTEM,CODE,DESCRIPTION,BASE_COST,REASONCODE,REASONDESCRIPTION
2019-05-05T10:00:00Z,2019-05-05T10:15:00Z,{ANN},{ENC},http://snomed.info/sct,430193006,Medication reconciliation,1,,
""",
    "observations": f"""DATE,PATIENT,ENCOUNTER,CATEGORY,CODE,DESCRIPTION,VALUE,UNITS,TYPE
2019-05-05T10:00:00Z,{ANN},{ENC},vital-signs,8302-2,Body Height,166.8,cm,numeric
2019-05-05T10:00:00Z,{ANN},{ENC},,QALY,QALY,42.0,a,numeric
2019-05-05T10:00:00Z,nobody,{ENC},vital-signs,8302-2,Body Height,166.8,cm,numeric
""",
    "claims": f"Id,PATIENTID,PROVIDERID\nc-1,{ANN},p\n",
    "careplans": "Id,START,STOP,PATIENT\n",
}


def native(folder: Path, **changed: str) -> Path:
    """Synthea's own files in a folder; a change of None leaves a file out."""
    for name, text in (NATIVE | changed).items():
        if text:
            (folder / f"{name}.csv").write_text(text.replace("\\\n", ""), encoding="utf-8")
    return folder


def reasons(report: Path) -> set[str]:
    return {line["reason"] for line in lines(report)}


@pytest.mark.django_db
def test_synthea_s_own_files_are_imported_as_ours_are(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    report = tmp_path / "report.csv"
    call_command("import_synthea", native(tmp_path), report=report)
    ann, bob = Patient.objects.get(last_name="Doe"), Patient.objects.get(last_name="Moe")
    assert (ann.first_name, ann.middle_name, ann.gender, str(ann.date_of_birth), ann.state) == (
        *("Ann", "Kay", "female", "1975-05-15", "MA"),
    )
    assert (bob.gender, f"{bob.deceased_at:%Y-%m-%d %H:%M}") == ("male", "2020-01-31 08:00")  # midnight in the tests' clinic
    chart = {entry.display: entry for entry in ChartEntry.objects.filter(patient=ann)}
    assert {(entry.type, entry.code_system, entry.code, entry.status) for entry in chart.values()} == {
        ("note", "SNOMED-CT", "162673000", "final"),
        ("allergy", "RxNorm", "7984", "active"),
        ("diagnosis", "SNOMED-CT", "59621000", "resolved"),
        ("medication", "RxNorm", "314076", "active"),
        ("immunization", "CVX", "140", "completed"),
        ("procedure", "SNOMED-CT", "430193006", "completed"),
        ("vital_sign", "LOINC", "8302-2", "final"),
        ("note", "", "", "final"),
    }
    assert chart["Penicillin V"].detail["reaction"] == "Eruption of skin (mild)"
    hypertension = chart["Essential hypertension (disorder)"]
    assert (hypertension.occurred_on, hypertension.ended_on) == ("2015", "2016-02")
    assert [line["reason"] for line in lines(report)] == [
        "Claims of another system are not imported: amounts owed stay where they were billed.",
        "The patient is not in the patients file.",
    ]
    assert "Not read, because HIMS has no place for it: careplans.csv" in capsys.readouterr().out
    before = list(ChartEntry.objects.order_by("id").values())
    call_command("import_synthea", tmp_path, report=report)
    assert list(ChartEntry.objects.order_by("id").values()) == before


@pytest.mark.django_db
def test_of_synthea_s_own_files_only_that_of_the_patients_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    packed = gzip.compress(NATIVE["patients"].replace("\\\n", "").encode())
    (tmp_path / "patients.csv.gz").write_bytes(packed)
    call_command("import_synthea", tmp_path, report=tmp_path / "report.csv")
    assert Patient.objects.count() == 2
    assert "Not in the folder: encounters.csv.gz" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sheet", "old", "new", "reason"),
    [
        ("patients", "2020-01-31", "1940-01-31", "The time of death is before the date of birth"),
        ("patients", ",F,", ",N,", "The gender 'N' is unknown."),
        ("conditions", "2015,2016-02", "2016-02,2015", "The end must not be before the beginning."),
        ("conditions", "2015,", "1935,", "Must not be before the patient's birth."),
        ("conditions", "Essential hypertension (disorder)", "\u200b", "invisible characters"),
    ],
)
def test_what_cannot_be_true_is_reported_in_words(tmp_path: Path, sheet: str, old: str, new: str, reason: str) -> None:
    report = tmp_path / "report.csv"
    call_command("import_synthea", native(tmp_path, **{sheet: NATIVE[sheet].replace(old, new)}), report=report)
    assert any(reason in reason_text for reason_text in reasons(report)), reasons(report)
    assert not any(
        word in reason_text for reason_text in reasons(report) for word in ("patient_", "chart_", "constraint", "violates")
    )


@pytest.mark.django_db
def test_a_column_that_synthea_always_writes_is_named_where_it_is_missing(tmp_path: Path) -> None:
    native(tmp_path, conditions=NATIVE["conditions"].replace("DESCRIPTION", "WORDS"))
    with pytest.raises(CommandError, match=r"conditions\.csv, line 1: the column 'DESCRIPTION'"):
        call_command("import_synthea", tmp_path, report=tmp_path / "report.csv")
    assert not Patient.objects.exists()


@pytest.mark.django_db
def test_our_form_takes_a_blank_between_day_and_time_a_letter_for_the_gender_and_one_name(tmp_path: Path) -> None:
    for path in FIXTURE.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    rewrite(tmp_path, "conditions", lambda text: text.replace(b"T", b" "))
    rewrite(tmp_path, "patients", lambda text: text.replace(b"female,2012", b"F,2012").replace("Cleo María".encode(), b""))
    with gzip.open(tmp_path / "conditions.csv.gz", "rt") as file:
        onsets = [row["onset"] for row in csv.DictReader(file)]
    assert any(" " in onset for onset in onsets)
    call_command("import_synthea", tmp_path, report=tmp_path / "report.csv")
    cleo = Patient.objects.get(last_name="Vale")
    assert (cleo.first_name, cleo.gender, cleo.full_name) == ("", "female", "Vale")
    reported = [line for line in lines(tmp_path / "report.csv") if line["file"] == "conditions.csv.gz"]
    assert [line["reason"] for line in reported] == ["Must not be before the patient's birth."]
    assert ChartEntry.objects.filter(source_ref__startswith="synthea/conditions/").count() == len(onsets) - 1


_CELLS = st.one_of(
    st.sampled_from(["", "2015", "2015-06", "2019-05-05 10:00:00+00:00", "0001-01-01"]),
    st.sampled_from(["9999-12-31T23:59:59-12:00", "active", "F", "M"]),
    st.sampled_from(["2015-13-01", "2019-W05-3", "1e400", "9x/9h", "9" * 5_000, "\u200b", "a\u202eb", "\n", "'; --", "-0.1"]),
    st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=20),
)


class TestMadeUpFiles(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_a_file_of_any_content_ends_in_no_traceback(self, data: st.DataObject) -> None:
        with TemporaryDirectory() as name:
            folder, own = Path(name), data.draw(st.booleans())
            for sheet in SHEETS:
                header = (NATIVE[sheet.name].replace("\\\n", "").splitlines()[0].split(",")) if own else list(sheet.columns)
                known = {"id": ANN, "patient": ANN, "patientid": ANN, "birthdate": "1980-05-15", "birth_date": "1980-05-15"}
                rows = [[known.get(column.lower(), "") for column in header] for _ in range(2 if sheet.name != "patients" else 1)]
                for row in rows:
                    for place in data.draw(st.sets(st.integers(0, len(row) - 1), max_size=3)):
                        row[place] = data.draw(_CELLS)
                with gzip.open(folder / sheet.file, "wt", encoding="utf-8", newline="") as file:
                    csv.writer(file).writerows([header, *rows])
            report = folder / "out" / "report.csv"
            try:
                call_command("import_synthea", folder, report=report)
            except CommandError as refusal:
                assert ", line " in str(refusal)  # noqa: PT017
            else:
                assert not any("constraint" in reason or "_" in reason.split(" ")[0] for reason in reasons(report))
