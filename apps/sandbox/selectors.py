"""The contents of the sandbox, and how to sign in to it."""

from dataclasses import asdict, dataclass
from typing import Any

from apps.accounts.models import ApiKey, User
from apps.common import clock
from apps.patients.models import Patient
from apps.sandbox.models import SampleData
from apps.sandbox.samples.sample_ids import PATIENTS, SAMPLE_IDS
from apps.sandbox.samples.staff import KEYS, PASSWORD, STAFF


@dataclass(frozen=True)
class SignIn:
    """A staff account of the sandbox."""

    username: str
    password: str
    role: str
    name: str
    id: str
    alias: str
    totp_seed: str


@dataclass(frozen=True)
class SamplePatient:
    """A patient with an alias in the API reference."""

    alias: str
    id: str
    mrn: str
    name: str


@dataclass(frozen=True)
class Credentials:
    """The sign-ins and ids for trying the API."""

    staff: tuple[SignIn, ...]
    patients: tuple[SamplePatient, ...]
    aliases: dict[str, str]
    api_keys: dict[str, str]  # by role

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def is_seeded() -> bool:
    """Returns whether the sample data exist. One indexed read: the readiness check calls it often."""
    return SampleData.objects.exists()


def is_seeded_with(fingerprint: str) -> bool:
    """Returns whether exactly these sample data exist."""
    return SampleData.objects.filter(fingerprint=fingerprint).exists()


def credentials() -> Credentials:
    """Returns the sign-ins and samples that exist."""
    active = set(User.objects.filter(pk__in=[member.id for member in STAFF], is_active=True).values_list("pk", flat=True))
    staff = [
        SignIn(
            username=member.username,
            password=PASSWORD,
            role=member.role.value,
            name=f"{member.first_name} {member.last_name}",
            id=str(member.id),
            alias=member.alias,
            totp_seed=member.totp_seed,
        )
        for member in STAFF
        if member.id in active
    ]
    rows = Patient.objects.in_bulk([SAMPLE_IDS[name] for name in PATIENTS])
    patients = [
        SamplePatient(alias=name, id=str(row.pk), mrn=row.mrn, name=row.full_name)
        for name in PATIENTS
        if (row := rows.get(SAMPLE_IDS[name]))
    ]
    aliases = {one.alias: one.id for one in patients} | {one.alias: one.id for one in staff if one.alias}
    return Credentials(staff=tuple(staff), patients=tuple(patients), aliases=aliases, api_keys=_live_keys())


def _live_keys() -> dict[str, str]:
    live = set(
        ApiKey.objects.live(clock.now())
        .filter(pk__in=[key.id for key in KEYS], user__is_active=True)
        .values_list("pk", flat=True)
    )
    return {key.role.value: key.text for key in KEYS if key.id in live}
