"""Laying out the sample data, and clearing the sandbox back to its first day."""

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
from apps.audit import anchor_file
from apps.audit import services as audit
from apps.common import clock
from apps.common.errors import Forbidden
from apps.patients import services as patients
from apps.patients.models import ChartEntry, Patient
from apps.patients.restriction import Restriction
from apps.patients.services import NewEntry
from apps.sandbox import charts, diary, notices, selectors, visits, waits
from apps.sandbox.aliases import fixed_id
from apps.sandbox.charts import Sample
from apps.sandbox.models import SampleData
from apps.sandbox.staff import CARE_TEAM, ID_OF, KEYS, PASSWORD, RESTRICTED, STAFF, WHY_RESTRICTED, StaffMember

Watch = Callable[[str, int, int], None]
"""Told what was just laid out, how many pieces are done, and of how many."""

_ENVIRONMENTS = ("sandbox", "test")
_KEPT = frozenset({"terminology"})  # reference tables, the same before and after
_DJANGO_TABLES = ("django_session", "django_admin_log")
_SEQUENCES = ("patient_seq", "patient_mrn_seq")
_LOCK = 0x5A6D_7C1E  # any number, but always this one: two starts at a time lay out one set


class NotASandbox(Forbidden):
    message = "Sample data and their reset belong to the sandbox. This installation is not one."


@dataclass(frozen=True)
class LaidOut:
    """What a run added. All zero where everything stood already."""

    staff: int = 0
    patients: int = 0
    entries: int = 0
    keys: int = 0
    visits: int = field(default=0, compare=False)  # drawn round this day: no two days have as many


def seed(*, by: Actor, watch: Watch | None = None) -> LaidOut:
    """Lay out what is missing of the sample data, all or nothing. A second run adds nothing. Raises NotASandbox."""
    _only_in_a_sandbox()
    fingerprint = charts.fingerprint()
    if selectors.laid_out_as(fingerprint):
        return LaidOut()
    with transaction.atomic():
        _one_at_a_time()
        if selectors.laid_out_as(fingerprint):  # by whoever held the lock
            return LaidOut()
        return _lay_out(by, fingerprint, watch or _nobody)


@transaction.atomic
def reset(*, by: Actor, watch: Watch | None = None) -> LaidOut:
    """Empty every table of ours and lay out the sample data anew; nobody sees a state in between. Raises NotASandbox."""
    _only_in_a_sandbox()
    _one_at_a_time()
    _empty()
    laid_out = _lay_out(by, charts.fingerprint(), watch or _nobody)
    audit.note(by=by, action="sandbox.reset")
    transaction.on_commit(anchor_file.set_aside)  # the next chain begins with a file of its own
    return laid_out


def _lay_out(by: Actor, fingerprint: str, watch: Watch) -> LaidOut:
    people = charts.everybody()
    total = len(STAFF) + len(people)
    done, hired, opened, entries = 0, 0, 0, 0
    here = set(User.objects.filter(pk__in=[member.id for member in STAFF]).values_list("pk", flat=True))
    for member in STAFF:
        if member.id not in here:
            accounts.hire(by=by, staff=_new_staff(member), check_password=False)
            hired += 1
        if member.totp_seed and not has_second_factor(member.id):
            accounts.install_totp(by=by, user_id=member.id, seed=member.totp_seed)
        done += 1
        watch(member.username, done, total)
    keys = _hand_out_keys(by)
    for raw in people:
        sample = charts.read(raw)
        if sample.registration.date_of_birth <= clock.today():
            transfer = _transfer(by, sample)
            opened += transfer.opened
            entries += transfer.entries_added
            if transfer.opened:
                patients.look_for_duplicates(by=by, patient_id=transfer.patient.pk)
        done += 1
        watch(sample.ref, done, total)
    notices.hand_out()
    _restrict(by)
    booked = diary.lay_out(by)
    visits.lay_out(by)
    waits.lay_out(by)
    SampleData.objects.update_or_create(pk=1, defaults={"fingerprint": fingerprint, "laid_out_at": clock.now()})
    return LaidOut(staff=hired, patients=opened, entries=entries, keys=keys, visits=booked)


def _hand_out_keys(by: Actor) -> int:
    """One API key a role. One that somebody revoked stays revoked until the sandbox is reset. Answers how many were made."""
    there = set(ApiKey.objects.filter(pk__in=[key.id for key in KEYS]).values_list("pk", flat=True))
    here = User.objects.filter(pk__in=[key.owner_id for key in KEYS], is_active=True)
    working = dict(here.values_list("pk", "role"))  # somebody may have closed an account of the sandbox or given it another role
    missing = [key for key in KEYS if key.id not in there and working.get(key.owner_id) == key.role]
    for key in missing:
        new = NewKey(id=key.id, text=key.text, name=f"Sandbox key of {key.role}", scopes=[scope.value for scope in Scope])
        accounts.make_key(by=by, owner_id=key.owner_id, new=new)
    return len(missing)


def _transfer(by: Actor, sample: Sample) -> patients.Transfer:
    return patients.transfer_in(
        by=by,
        source=ChartEntry.Source.SANDBOX,
        system="sandbox",
        ref=sample.ref,
        registration=_alive_until_now(sample.registration),
        entries=_up_to_now(sample.entries),
        patient_id=sample.patient_id,
    )


def _restrict(by: Actor) -> None:
    """Close the one restricted chart of the ward, unless somebody has decided otherwise since."""
    patient_id = fixed_id(RESTRICTED)
    if Patient.objects.filter(pk=patient_id).exists() and not Restriction.objects.filter(patient=patient_id).exists():
        team = [ID_OF[username] for username in CARE_TEAM]
        patients.restrict(by=by, patient_id=patient_id, care_team=team, reason=WHY_RESTRICTED)


def _alive_until_now(registration: patients.Registration) -> patients.Registration:
    """The registration without a death that lies ahead by this machine's clock."""
    died = registration.deceased_at
    return replace(registration, deceased_at=None) if died and died > clock.now() else registration


def _up_to_now(entries: tuple[NewEntry, ...]) -> list[NewEntry]:
    """What has happened by this machine's clock: a clock that is behind gets shorter charts, not a refusal."""
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
    """Truncate our apps' tables and Django's sessions; numbers start anew. All of it is undone if the transaction fails."""
    ours = [config for config in apps.get_app_configs() if config.name.startswith("apps.") and config.label not in _KEPT]
    tables = [model._meta.db_table for config in ours for model in config.get_models(include_auto_created=True)]
    tables += [table for table in _DJANGO_TABLES if table in connection.introspection.table_names()]
    quoted = ", ".join(connection.ops.quote_name(table) for table in tables)
    connection.check_constraints()  # a table with deferred checks still waiting cannot be truncated
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('hims.audit_upkeep', 'TRUNCATE', true)")  # the trail lets itself be emptied only so
        cursor.execute(f"TRUNCATE {quoted} RESTART IDENTITY")
        for sequence in _SEQUENCES:
            cursor.execute(f"ALTER SEQUENCE {sequence} RESTART")


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _only_in_a_sandbox() -> None:
    if settings.HIMS_ENV not in _ENVIRONMENTS:
        raise NotASandbox


def _nobody(piece: str, done: int, total: int) -> None:
    """Watches nothing."""
