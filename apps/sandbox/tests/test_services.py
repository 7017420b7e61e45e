"""Laying out the sample data, doing it again, and starting over."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests import factories as accounts
from apps.audit.models import AuditEvent, Seal
from apps.audit.sealing import seals
from apps.audit.verification import verifier
from apps.common import clock
from apps.common.tests.shared_rows import shared_rows
from apps.patients import services as patients
from apps.patients.models import ChartEntry, Patient
from apps.patients.selectors import duplicate_candidates
from apps.rest import health
from apps.sandbox import selectors, services
from apps.sandbox.models import SampleData
from apps.sandbox.samples import charts
from apps.sandbox.samples.generated_patients import SIZE
from apps.terminology.tests import factories as terminology

pytestmark = pytest.mark.django_db


def state():
    """All that the sandbox shows of itself, without the times of writing."""
    return (
        list(User.objects.order_by("username").values_list("id", "username", "email", "role", "first_name", "last_name")),
        list(Patient.objects.order_by("seq").values_list("id", "seq", "mrn", "last_name", "allergy_status", "phone_e164")),
        list(
            ChartEntry.objects.order_by("source_ref").values_list("patient_id", "source_ref", "value", "status", "recorded_by_id")
        ),
    )


class TestTheWholeWard:
    @pytest.fixture(scope="class")
    def result(self, django_db_setup, django_db_blocker):
        with shared_rows(django_db_blocker):
            yield services.seed(by=SYSTEM)

    def test_the_whole_ward_is_laid_out(self, result):
        assert result.patients == SIZE + 3
        assert selectors.is_seeded()

    def test_the_ward_has_a_pair_to_look_at_in_the_merge_queue(self, result):
        names = {frozenset((pair.low.last_name, pair.high.last_name)) for pair in duplicate_candidates(visible_to=SYSTEM)}
        assert names == {frozenset(("O'Brien", "OBrien"))}


def test_watching_counts_every_piece_once(expected):
    seen, pieces = [], expected.staff + expected.patients
    services.seed(by=SYSTEM, on_progress=lambda piece, done, total: seen.append((done, total)))
    assert seen == [(number, pieces) for number in range(1, pieces + 1)]


def test_the_system_is_ready_once_the_sample_data_stand(rf, expected, monkeypatch):
    monkeypatch.setattr(health, "RESULT_LIFETIME", timedelta(0))  # each request checks
    assert b'"sample_data": "down"' in health.ready(rf.get("/health/ready")).content
    services.seed(by=SYSTEM)
    assert b'"sample_data": "ok"' in health.ready(rf.get("/health/ready")).content


def test_the_system_is_ready_once_the_codes_stand_and_a_reset_keeps_them(rf, few_patients, monkeypatch):
    monkeypatch.setattr(health, "RESULT_LIFETIME", timedelta(0))  # each request checks
    assert b'"terminology": "down"' in health.ready(rf.get("/health/ready")).content
    terminology.load()
    services.reset(by=SYSTEM)
    assert b'"terminology": "ok"' in health.ready(rf.get("/health/ready")).content


def test_a_clock_that_is_behind_gets_shorter_charts(expected):
    with time_machine.travel(datetime(2026, 5, 20, tzinfo=UTC)):
        laid_out = services.seed(by=SYSTEM)
    assert laid_out.patients == expected.patients - 1  # one of the ward is not born yet
    assert 0 < laid_out.entries < expected.entries


@pytest.mark.parametrize("work", [services.seed, services.reset])
def test_a_database_with_users_and_no_sample_data_is_left_as_it_is(few_patients, work):
    user = accounts.hire()
    with pytest.raises(services.NotInSandbox, match="has users and no sample data"):
        work(by=SYSTEM)
    assert list(User.objects.all()) == [user]


class TestStartingOver:
    def test_starting_over_gives_the_first_day_again(self, hospital, expected):
        now = clock.now()  # visits are drawn round the moment
        with time_machine.travel(now, tick=False):
            services.reset(by=SYSTEM)  # the first one of a test also sets the numbering, which no rollback does, back
        first = state()
        patients.register(
            by=SYSTEM,
            registration=patients.Registration(
                mrn="MRN002",
                first_name="Jane",
                last_name="Smith",
                date_of_birth=datetime(1985, 3, 20, tzinfo=UTC).date(),
                gender="female",
            ),
        )
        User.objects.filter(username="dr.smith").update(is_active=False)
        with time_machine.travel(now, tick=False):
            assert services.reset(by=SYSTEM) == expected
        assert state() == first

    def test_starting_over_leaves_one_trace_of_itself(self, hospital):
        services.reset(by=SYSTEM)
        assert AuditEvent.objects.filter(action="sandbox.reset").count() == 1

    def test_a_reset_that_fails_leaves_everything_as_it_was(self, hospital, monkeypatch):
        before = state()

        def broken(raw):
            raise RuntimeError("the file cannot be read")

        monkeypatch.setattr(charts, "read", broken)
        with pytest.raises(RuntimeError):
            services.reset(by=SYSTEM)
        assert state() == before

    def test_starting_over_empties_the_trail_which_otherwise_refuses_that(self, hospital):
        seals.seal()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL hims.audit_upkeep = ''")  # in tests every table may be emptied
            with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
                cursor.execute("TRUNCATE audit_auditevent")
        services.reset(by=SYSTEM)
        assert not Seal.objects.exists()
        seals.seal()
        assert verifier.verify(by=SYSTEM).intact


@pytest.mark.parametrize("environment", ["production", "staging", "development"])
@pytest.mark.parametrize("work", [services.seed, services.reset])
def test_no_other_installation_is_touched(settings, environment, work):
    SampleData.objects.create(fingerprint="x")
    settings.HIMS_ENV = environment
    with pytest.raises(services.NotInSandbox):
        work(by=SYSTEM)
    assert SampleData.objects.filter(fingerprint="x").exists()
    assert not User.objects.exists()


def test_the_mark_is_one_row():
    SampleData.objects.create(fingerprint="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        SampleData.objects.create(pk=2, fingerprint="y")
