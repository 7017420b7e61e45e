"""Creates the sample data, and resets the sandbox to its initial state."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from apps.access.actor import Actor
from apps.access.scopes import Scope
from apps.accounts import services as accounts
from apps.accounts.models import ApiKey, User
from apps.accounts.selectors import has_second_factor
from apps.accounts.services import NewKey, NewStaff
from apps.audit import services as audit
from apps.audit.sealing import anchor_file
from apps.common import clock, locks
from apps.common.errors import Forbidden
from apps.common.locks import LockName
from apps.common.sql import set_local
from apps.patients import services as patients
from apps.patients.confidentiality.models import Restriction
from apps.patients.models import ChartEntry, Patient
from apps.patients.services import NewEntry
from apps.prescriptions.catalogue.services import loading as drugs
from apps.prescriptions.safety.services import keeping as knowledge
from apps.sandbox import selectors, sql
from apps.sandbox.models import SampleData
from apps.sandbox.samples import appointments, charts, consultations, notices, waitlist
from apps.sandbox.samples.charts import Sample
from apps.sandbox.samples.sample_ids import DRUG, fixed_id
from apps.sandbox.samples.staff import CARE_TEAM, ID_OF, KEYS, PASSWORD, RESTRICTED, RESTRICTION_REASON, STAFF, StaffMember

ProgressCallback = Callable[[str, int, int], None]
"""Receives the name of the last created part, the number of finished parts and their total."""

_ENVIRONMENTS = ("sandbox", "test")
_KEPT_APPS = frozenset({"terminology"})  # reference tables, the same before and after
_LISINOPRIL = "Lisinopril 10 MG Oral Tablet"
_DJANGO_TABLES = ("django_session", "django_admin_log")
_SEQUENCES = ("patient_seq", "patient_mrn_seq")


class NotInSandbox(Forbidden):
    message = "Sample data and their reset belong to the sandbox. This installation is not one."


@dataclass(frozen=True)
class SeedResult:
    """What a run added. All zero if everything existed already."""

    staff: int = 0
    patients: int = 0
    entries: int = 0
    keys: int = 0
    appointments: int = field(default=0, compare=False)  # generated around this day: the number differs from day to day


def seed(*, by: Actor, on_progress: ProgressCallback | None = None) -> SeedResult:
    """Creates the missing sample data, all or nothing. A second run adds nothing. Raises NotInSandbox."""
    _check_environment()
    fingerprint = charts.fingerprint()
    if selectors.is_seeded_with(fingerprint):
        return SeedResult()
    _check_users_are_samples()
    with transaction.atomic():
        locks.lock(LockName.SANDBOX)
        if selectors.is_seeded_with(fingerprint):  # by the process that had the lock
            return SeedResult()
        return _create_samples(by, fingerprint, on_progress or _ignore_progress)


@transaction.atomic
def reset(*, by: Actor, on_progress: ProgressCallback | None = None) -> SeedResult:
    """Empties every table of ours and creates the sample data again; no intermediate state is visible. Raises NotInSandbox."""
    _check_environment()
    _check_users_are_samples()
    locks.lock(LockName.SANDBOX)
    _empty()
    laid_out = _create_samples(by, charts.fingerprint(), on_progress or _ignore_progress)
    audit.record(by=by, action="sandbox.reset")
    transaction.on_commit(anchor_file.archive)  # the next chain starts with its own file
    return laid_out


def _create_samples(by: Actor, fingerprint: str, on_progress: ProgressCallback) -> SeedResult:
    samples = charts.all_patients()
    total = len(STAFF) + len(samples)
    done, staff_created, patients_created, entries_created = 0, 0, 0, 0
    existing_staff = set(User.objects.filter(pk__in=[member.id for member in STAFF]).values_list("pk", flat=True))
    for member in STAFF:
        if member.id not in existing_staff:
            accounts.hire(by=by, staff=_new_staff(member), check_password=False)
            staff_created += 1
        if member.totp_seed and not has_second_factor(member.id):
            accounts.install_totp(by=by, user_id=member.id, seed=member.totp_seed)
        done += 1
        on_progress(member.username, done, total)
    keys = _create_keys(by)
    for content in samples:
        sample = charts.read(content)
        if sample.registration.date_of_birth <= clock.today():
            transfer = _transfer(by, sample)
            patients_created += transfer.opened
            entries_created += transfer.entries_added
            if transfer.opened:
                patients.refresh_duplicate_candidates(by=by, patient_id=transfer.patient.pk)
        done += 1
        on_progress(sample.ref, done, total)
    drugs.load_seed(ids={_LISINOPRIL: fixed_id(DRUG)})
    knowledge.load_seed()
    notices.send_samples()
    _restrict(by)
    appointments_created = appointments.create_samples(by)
    consultations.create_samples(by)
    waitlist.create_samples(by)
    SampleData.objects.update_or_create(pk=1, defaults={"fingerprint": fingerprint, "laid_out_at": clock.now()})
    return SeedResult(
        staff=staff_created, patients=patients_created, entries=entries_created, keys=keys, appointments=appointments_created
    )


def _create_keys(by: Actor) -> int:
    """Creates one API key per role. A revoked one stays revoked until the sandbox is reset. Returns how many were created."""
    existing = set(ApiKey.objects.filter(pk__in=[key.id for key in KEYS]).values_list("pk", flat=True))
    owners = User.objects.filter(pk__in=[key.owner_id for key in KEYS], is_active=True)
    role_of_owner = dict(
        owners.values_list("pk", "role")
    )  # a user may have closed an account of the sandbox or given it another role
    missing = [key for key in KEYS if key.id not in existing and role_of_owner.get(key.owner_id) == key.role]
    for key in missing:
        new = NewKey(id=key.id, text=key.text, name=f"Sandbox key of {key.role}", scopes=[scope.value for scope in Scope])
        accounts.create_key(by=by, owner_id=key.owner_id, new=new)
    return len(missing)


def _transfer(by: Actor, sample: Sample) -> patients.ImportedPatient:
    return patients.import_patient(
        by=by,
        source=ChartEntry.Source.SANDBOX,
        system="sandbox",
        ref=sample.ref,
        registration=_alive_until_now(sample.registration),
        entries=_up_to_now(sample.entries),
        patient_id=sample.patient_id,
    )


def _restrict(by: Actor) -> None:
    """Restricts the one sample chart, unless a user has decided otherwise since."""
    patient_id = fixed_id(RESTRICTED)
    if Patient.objects.filter(pk=patient_id).exists() and not Restriction.objects.filter(patient=patient_id).exists():
        team = [ID_OF[username] for username in CARE_TEAM]
        patients.restrict(by=by, patient_id=patient_id, care_team=team, reason=RESTRICTION_REASON)


def _alive_until_now(registration: patients.Registration) -> patients.Registration:
    """Returns the registration without a death that is in the future by this machine's clock."""
    deceased_at = registration.deceased_at
    return replace(registration, deceased_at=None) if deceased_at and deceased_at > clock.now() else registration


def _up_to_now(entries: tuple[NewEntry, ...]) -> list[NewEntry]:
    """Returns what has happened by this machine's clock: a clock that is behind gets shorter charts, not a refusal."""
    now = clock.now()
    past = [entry for entry in entries if entry.occurred_at is None or entry.occurred_at <= now]
    return [replace(entry, ended_at=None) if entry.ended_at and entry.ended_at > now else entry for entry in past]


def _new_staff(member: StaffMember) -> NewStaff:
    return NewStaff(
        id=member.id,
        username=member.username,
        email=member.email,
        first_name=member.first_name,
        last_name=member.last_name,
        role=member.role,
        password=PASSWORD,
        specialty=member.specialty,
        npi=member.npi,
        taxonomy=member.taxonomy,
        languages=member.languages,
    )


def _empty() -> None:
    """Truncates our apps' tables and Django's sessions; numbers restart. All of it is undone if the transaction fails."""
    own_apps = [config for config in apps.get_app_configs() if config.name.startswith("apps.") and config.label not in _KEPT_APPS]
    tables = [model._meta.db_table for config in own_apps for model in config.get_models(include_auto_created=True)]
    tables += [table for table in _DJANGO_TABLES if table in connection.introspection.table_names()]
    connection.check_constraints()  # a table with deferred checks still waiting cannot be truncated
    set_local("hims.audit_upkeep", "TRUNCATE")  # the audit log can be emptied only like this
    sql.truncate(tables, _SEQUENCES)


def _check_environment() -> None:
    if settings.HIMS_ENV not in _ENVIRONMENTS:
        raise NotInSandbox


def _check_users_are_samples() -> None:
    """Raises NotInSandbox for a database with users and no sample data, because those users are real."""
    if User.objects.exists() and not selectors.is_seeded():
        raise NotInSandbox("This database has users and no sample data: it is not a sandbox. Nothing was changed.")


def _ignore_progress(piece: str, done: int, total: int) -> None:
    """Ignores the progress."""
