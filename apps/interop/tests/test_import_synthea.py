"""`manage.py import_synthea` on the fixture, and on the real files where they are."""

import csv
import gzip
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.services import NewStaff
from apps.events.models import OutboxEvent
from apps.interop.synthea import loading
from apps.interop.synthea.layout import SHEETS
from apps.patients import services
from apps.patients.chart.entry_types import EntryType
from apps.patients.models import ChartEntry, Patient, PatientIdentifier

FIXTURE = Path(__file__).parent / "fixtures" / "synthea"
REAL = Path(os.environ.get("HIMS_SYNTHEA_DIR") or settings.BASE_DIR.parent / "shared" / "data" / "synthea")
CLEO = "00000001-0000-4000-8000-000000000003"
_CHILD = """
import sys
import django
from django.core.management import call_command
from django.db import connection
django.setup()
connection.settings_dict["NAME"] = sys.argv[1]
call_command("import_synthea", sys.argv[2], "--report", sys.argv[3])
"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "reports" / "report.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "extract"))


def run(folder: Path, report: Path) -> None:
    call_command("import_synthea", folder, report=report)


def lines(report: Path) -> list[dict[str, str]]:
    with report.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rows_in(folder: Path, sheet: str) -> list[dict[str, str]]:
    with gzip.open(folder / f"{sheet}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rewrite(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    path = folder / f"{name}.csv.gz"
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))


def everything() -> tuple:
    """Returns everything that an import writes."""
    return (
        list(Patient.objects.order_by("seq").values()),
        list(PatientIdentifier.objects.order_by("id").values()),
        list(ChartEntry.objects.order_by("id").values()),
        OutboxEvent.objects.count(),
    )


def by_patient_and_sheet() -> Counter:
    """The chart entries of the import, by the patient's id in the files and the file they came from."""
    known = dict(PatientIdentifier.objects.filter(system="synthea").values_list("patient_id", "value"))
    entries = ChartEntry.objects.filter(source="import").values_list("patient_id", "source_ref")
    return Counter((known[patient], ref.split("/")[1]) for patient, ref in entries)


def expected(folder: Path, report: Path) -> Counter:
    """The rows of the files, less those reported, by patient and file."""
    counts: Counter = Counter()
    for sheet in SHEETS[1:]:
        counts.update((row["patient"], sheet.name) for row in rows_in(folder, sheet.name))
    counts.subtract(Counter((line["patient"], line["file"].removesuffix(".csv.gz")) for line in lines(report)))
    return +counts


def expected_kinds(folder: Path, report: Path) -> Counter:
    """The rows of the files, less those reported, by patient and kind of chart entry."""
    counts: Counter = Counter()
    for sheet in SHEETS[1:]:
        counts.update((row["patient"], kind_of(sheet.name, row)) for row in rows_in(folder, sheet.name))
    for line in lines(report):
        counts[line["patient"], kind_of(line["file"].removesuffix(".csv.gz"), json.loads(line["row"]))] -= 1
    return +counts


def kind_of(sheet: str, cells: dict[str, str]) -> str:
    if sheet == "observations":
        return {"laboratory": "lab_result", "vital-signs": "vital_sign", "vital-sign": "vital_sign"}.get(
            cells["category"], "note"
        )
    return {"encounters": "note", "conditions": "diagnosis", "allergies": "allergy"}.get(sheet, sheet.removesuffix("s"))


def over_the_api(client: Client) -> Counter:
    """Returns the totals that a doctor sees, by the patient's id in the files and type of entry."""
    doctor = NewStaff(
        username="doctor.ward",
        email="doctor@hims.test",
        first_name="Dora",
        last_name="Ward",
        role="doctor",
        password="a long enough pass phrase",
        specialty="Family medicine",
        npi="1234567893",
    )
    accounts.hire(by=SYSTEM, staff=doctor, check_password=False)
    token = accounts.sign_in(username=doctor.username, password=doctor.password, ip=None, user_agent="").tokens.access_token
    counts: Counter = Counter()
    for number in PatientIdentifier.objects.filter(system="synthea"):
        for kind in EntryType:
            path = f"/v1/patients/{number.patient_id}/medical-history?type={kind}&limit=1"
            reply = client.get(path, HTTP_AUTHORIZATION=f"Bearer {token}")
            assert reply.status_code == 200, reply.content
            counts[number.value, kind.value] = reply.json()["data"]["pagination"]["total"]
    return +counts


@pytest.mark.django_db
class TestTheFixture:
    def test_every_row_is_in_the_chart_or_in_the_report(self, report, capsys):
        run(FIXTURE, report)
        assert Patient.objects.count() == 4
        assert by_patient_and_sheet() == expected(FIXTURE, report)
        assert ChartEntry.objects.count() + len(lines(report)) + 4 == 50
        assert "Patients" in capsys.readouterr().out

    def test_every_row_that_is_not_reported_is_reachable_over_the_api(self, report, client):
        run(FIXTURE, report)
        assert over_the_api(client) == expected_kinds(FIXTURE, report)

    def test_the_report_says_why_and_keeps_the_whole_row(self, report):
        run(FIXTURE, report)
        reasons = Counter((line["file"], line["reason"]) for line in lines(report))
        assert reasons == {
            ("encounters.csv.gz", "Must not be before the patient's birth."): 1,
            ("conditions.csv.gz", "Must not be before the patient's birth."): 1,
            ("medications.csv.gz", "Must not be before the patient's birth."): 1,
            ("medications.csv.gz", "The status 'entered-by-mistake' is unknown."): 1,
            ("observations.csv.gz", "Must not be in the future: a chart contains what has happened."): 1,
            ("claims.csv.gz", "Claims of another system are not imported: amounts owed stay where they were billed."): 3,
        }
        claim = next(line for line in lines(report) if line["file"] == "claims.csv.gz")
        assert claim["line"] == "2"
        assert '"total": "125"' in claim["row"]

    def test_only_its_owner_reads_the_report(self, report):
        run(FIXTURE, report)
        assert stat.S_IMODE(report.stat().st_mode) == 0o600
        assert [path.name for path in report.parent.iterdir()] == [report.name]

    def test_without_another_wish_the_report_lies_in_the_data_folder(self, settings, tmp_path):
        settings.HIMS_DATA_DIR = tmp_path
        call_command("import_synthea", FIXTURE)
        assert (tmp_path / "reports" / "import_synthea.csv").is_file()

    def test_a_second_run_changes_nothing(self, report, capsys):
        run(FIXTURE, report)
        before, listed = everything(), lines(report)
        capsys.readouterr()
        run(FIXTURE, report)
        assert everything() == before
        assert lines(report) == listed
        observations = next(line for line in capsys.readouterr().out.splitlines() if "observations" in line)
        assert [cell.strip() for cell in observations.split("│")[2:6]] == ["13", "0", "12", "1"]

    def test_an_entry_retracted_since_stays_retracted(self, report):
        run(FIXTURE, report)
        entry = ChartEntry.objects.filter(type="allergy").first()
        services.retract(by=SYSTEM, entry_id=entry.pk, patient_id=entry.patient_id, reason="Wrong patient")
        before = everything()
        run(FIXTURE, report)
        assert everything() == before

    def test_a_demographic_the_clinic_corrected_stays_corrected(self, report):
        run(FIXTURE, report)
        ada = Patient.objects.get(first_name="Ada")
        services.amend(by=SYSTEM, patient_id=ada.pk, changes={"city": "Boston"})
        run(FIXTURE, report)
        ada.refresh_from_db()
        assert ada.city == "Boston"

    def test_the_mrn_is_ours_and_theirs_is_kept(self, report):
        run(FIXTURE, report)
        ada = Patient.objects.get(first_name="Ada")
        assert ada.mrn.startswith("MRN")
        numbers = dict(PatientIdentifier.objects.filter(patient=ada).values_list("system", "value"))
        assert numbers == {
            "synthea": "00000001-0000-4000-8000-000000000001",
            "synthea-mrn": "00000010-0000-4000-8000-000000000001",
        }

    def test_allergies_in_the_files_are_listed_and_their_absence_is_not_an_answer(self, report):
        run(FIXTURE, report)
        statuses = dict(Patient.objects.values_list("first_name", "allergy_status"))
        assert statuses == {"Ada": "listed", "Ben": "not_asked", "Cleo María": "listed", "Dan": "not_asked"}

    def test_one_fact_a_patient_is_announced(self, report):
        run(FIXTURE, report)
        assert OutboxEvent.objects.filter(name="patient.transferred_in").count() == 4
        assert OutboxEvent.objects.count() == 4

    def test_rows_of_unlisted_patients_are_reported(self, folder, report):
        rewrite(folder, "patients", lambda text: b"".join(text.splitlines(keepends=True)[:3]))
        run(folder, report)
        assert Patient.objects.count() == 2
        strays = [line for line in lines(report) if line["reason"] == loading.UNKNOWN_PATIENT]
        assert {line["patient"] for line in strays} == {CLEO, CLEO.replace("3", "4")}
        assert by_patient_and_sheet() == expected(folder, report)

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            (b"2012-06-15", b"2999-06-15", "The date of birth is in the future."),
            (b"female,2012", b"x,2012", "The gender 'x' is unknown."),
            ("Cleo María".encode(), b"C" * 101, "given has more than 100 characters."),
            (b"2012-06-15,,S", b"2012-06-15,2011-01-01,S", "The time of death is before the date of birth"),
            (b"2012-06-15,,S", b"2012-06-15,2999-01-01T00:00:00Z,S", "The time of death is in the future."),
            (b"2012-06-15,,S", b"2012-06-15,2014,S", "The death is known only as 2014, and a day is required."),
            ("Vale,Cleo María".encode(), b",", "Enter a first name or a last name."),
            (b"Vale", "\u200b\u202e".encode(), "invisible characters"),
            (b"00000010-0000-4000-8000-000000000003", b"9" * 101, "mrn has more than 100 characters."),
            (
                b"00000010-0000-4000-8000-000000000003",
                b"00000010-0000-4000-8000-000000000002",
                "Another patient here has the same number of that system.",
            ),
        ],
    )
    def test_a_person_who_cannot_be_registered_is_reported_with_all_his_rows(self, folder, report, old, new, reason):
        rewrite(folder, "patients", lambda text: text.replace(old, new))
        run(folder, report)
        assert Patient.objects.count() == 3
        hers = [line for line in lines(report) if line["patient"] == CLEO]
        assert len(hers) == 11
        assert all(line["reason"].startswith("The patient was not imported: ") and reason in line["reason"] for line in hers)
        assert by_patient_and_sheet() == expected(folder, report)


@pytest.mark.django_db
class TestRefusals:
    def test_nothing_is_written_when_the_last_file_cannot_be_read(self, folder, report):
        path = folder / "claims.csv.gz"
        path.write_bytes(path.read_bytes()[:-12])
        with pytest.raises(CommandError, match=r"claims\.csv\.gz"):
            run(folder, report)
        assert everything() == ([], [], [], 0)
        assert not report.exists()

    def test_a_report_that_cannot_be_written_stops_the_import_before_it_begins(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(CommandError, match="The report cannot be written"):
            run(FIXTURE, tmp_path / "file" / "report.csv")
        assert Patient.objects.count() == 0


@pytest.mark.django_db(transaction=True)
class TestAKill:
    def test_a_kill_amid_the_third_patient_leaves_two_whole_ones_and_the_next_run_completes(self, report):
        with transaction.atomic():
            _hold_up(CLEO)
            child = _start(FIXTURE, report)
            _until(_is_blocked, child)
            child.send_signal(signal.SIGKILL)
            child.wait()
            transaction.set_rollback(True)
        assert set(Patient.objects.values_list("first_name", flat=True)) == {"Ada", "Ben"}
        assert not report.exists()
        run(FIXTURE, report)
        assert Patient.objects.count() == 4
        assert by_patient_and_sheet() == expected(FIXTURE, report)

    def test_two_imports_at_once_are_refused(self, report, monkeypatch):
        monkeypatch.setattr("apps.common.locks._ATTEMPTS", 1)
        with transaction.atomic():
            _hold_up(CLEO)
            child = _start(FIXTURE, report)
            _until(_is_blocked, child)
            with pytest.raises(CommandError, match="Another import is running"):
                run(FIXTURE, report.with_name("second.csv"))
            transaction.set_rollback(True)
        assert child.wait(timeout=30) == 0
        assert Patient.objects.count() == 4


@pytest.mark.full
@pytest.mark.skipif(not REAL.is_dir(), reason=f"the 500-patient extract is not at {REAL}; name its folder in HIMS_SYNTHEA_DIR")
@pytest.mark.django_db(transaction=True)
def test_the_real_extract_survives_a_kill_and_every_row_is_in_a_chart_or_in_the_report(report, client, settings):
    settings.HIMS_RATE_LIMIT_SCALE = 1_000.0
    child = _start(REAL, report)
    _until(lambda: Patient.objects.count() >= 50, child)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert 50 <= Patient.objects.count() < 500
    run(REAL, report)
    assert Patient.objects.count() == 500
    assert by_patient_and_sheet() == expected(REAL, report)
    unexplained = [line for line in lines(report) if line["file"] != "claims.csv.gz"]
    assert [line["reason"] for line in unexplained] == ["Must not be before the patient's birth."] * 4
    assert over_the_api(client) == expected_kinds(REAL, report)
    before = everything()
    run(REAL, report)
    assert everything() == before


def _hold_up(patient: str) -> None:
    """Waits until another transaction, begun and not committed, waits for this one's end."""
    registration = services.Registration(first_name="Hold", last_name="Up", date_of_birth=date(2000, 1, 1), gender="other")
    services.import_patient(by=SYSTEM, source="import", system="synthea", ref=patient, registration=registration, entries=[])


def _start(folder: Path, report: Path) -> subprocess.Popen:
    command = [sys.executable, "-c", _CHILD, connection.settings_dict["NAME"], str(folder), str(report)]
    return subprocess.Popen(command, cwd=settings.BASE_DIR, env=os.environ | {"DJANGO_SETTINGS_MODULE": "hims.settings.test"})


def _is_blocked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return cursor.fetchone()[0] > 0


def _until(condition: Callable[[], bool], child: subprocess.Popen) -> None:
    for _ in range(3_000):
        if condition():
            return
        assert child.poll() is None, "the import ended too early"
        time.sleep(0.02)
    pytest.fail("the import did not get that far")
