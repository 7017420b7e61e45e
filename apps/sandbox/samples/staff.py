"""The staff of the sandbox, as data. NPIs pass the check digit and are not issued to a real person; the password is public."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from apps.access.roles import Role
from apps.sandbox.samples.sample_ids import fixed_id

PASSWORD = "Sandbox-2025!"  # noqa: S105  printed on the front page; the sandbox has no real data


@dataclass(frozen=True, kw_only=True)
class StaffMember:
    """One sign-in. `alias` is the doctor's name in the API reference."""

    username: str
    first_name: str
    last_name: str
    role: Role
    alias: str = ""
    specialty: str = ""
    npi: str = ""
    taxonomy: str = ""
    languages: tuple[str, ...] = ()
    totp_seed: str = ""  # of the sample authenticator, in base32

    @property
    def id(self) -> UUID:
        return fixed_id(self.alias or self.username)

    @property
    def email(self) -> str:
        return f"{self.username}@hims.com"


# "Dr." as the first name of dr.smith is how the reference prints its sign-in (section 2.1).
STAFF: tuple[StaffMember, ...] = (
    StaffMember(username="admin", first_name="Robin", last_name="Admin", role=Role.ADMIN),
    StaffMember(username="manager.davis", first_name="Morgan", last_name="Davis", role=Role.MANAGER),
    StaffMember(
        username="dr.smith",
        first_name="Dr.",
        last_name="Smith",
        role=Role.DOCTOR,
        alias="doctor_001",
        specialty="Family medicine",
        npi="1999999018",
        taxonomy="207Q00000X",
        languages=("en", "es"),
    ),
    StaffMember(
        username="dr.patel",
        first_name="Anjali",
        last_name="Patel",
        role=Role.DOCTOR,
        alias="doctor_002",
        specialty="Cardiology",
        npi="1999999026",
        taxonomy="207RC0000X",
        languages=("en", "hi", "gu"),
    ),
    StaffMember(
        username="dr.lee",
        first_name="Minjun",
        last_name="Lee",
        role=Role.DOCTOR,
        alias="doctor_003",
        specialty="Pediatrics",
        npi="1999999034",
        taxonomy="208000000X",
        languages=("en", "ko"),
    ),
    StaffMember(username="nurse.jones", first_name="Taylor", last_name="Jones", role=Role.NURSE),
    StaffMember(username="reception.kim", first_name="Hana", last_name="Kim", role=Role.RECEPTIONIST),
    StaffMember(username="pharm.garcia", first_name="Lucía", last_name="García", role=Role.PHARMACIST),
    StaffMember(username="lab.chen", first_name="Wei", last_name="Chen", role=Role.LAB_TECHNICIAN),
    StaffMember(username="billing.brown", first_name="Jordan", last_name="Brown", role=Role.BILLING),
    StaffMember(username="mfa.user", first_name="Mika", last_name="User", role=Role.NURSE, totp_seed="JBSWY3DPEHPK3PXP"),
)
# One sample chart is restricted: who sees it, and why. All others need emergency access, or do not find it.
RESTRICTED, CARE_TEAM, RESTRICTION_REASON = (
    "ward-008",
    ("dr.patel", "nurse.jones"),
    "A sister works here; the patient requested it",
)
ID_OF: dict[str, UUID] = {member.username: member.id for member in STAFF}


@dataclass(frozen=True)
class SampleKey:
    """The API key of a role: the same on every machine, with every scope. It belongs to the role's first member."""

    role: Role
    owner_id: UUID

    @property
    def id(self) -> UUID:
        return fixed_id(f"api-key.{self.role}")

    @property
    def text(self) -> str:
        """Public, like the password: `hims_test_` and digits derived from the role's name."""
        return f"hims_test_{hashlib.sha256(f'HIMS sandbox key of {self.role}'.encode()).hexdigest()[:48]}"


KEYS: tuple[SampleKey, ...] = tuple(
    SampleKey(role, next(member.id for member in STAFF if member.role is role))
    for role in dict.fromkeys(member.role for member in STAFF)
)
