"""What changed for integrators, newest first. Pure values."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Release:
    """A version and what it brought. `breaking` is empty within v1."""

    version: str
    released_on: date
    added: tuple[str, ...] = field(default=())
    changed: tuple[str, ...] = field(default=())
    fixed: tuple[str, ...] = field(default=())
    deprecated: tuple[str, ...] = field(default=())
    breaking: tuple[str, ...] = field(default=())


RELEASES = (
    Release(
        version="0.1.0",
        released_on=date(2026, 11, 22),
        added=(
            "Sign-in, refresh with single-use tokens, sign-out, oneself: /auth/login, /auth/refresh, /auth/logout, /auth/me.",
            "Patients: list and search, registration, detail, amendment by merge-patch, deactivation and reactivation.",
            "Patients: who on record may be the person described, with score and reasons (/patients/match); the warning "
            "possible_duplicate says why in `matches`; two records are said to be two people by /patients/{id}/not-same.",
            "Patients: two records made one (/patients/{id}/merge, with /patients/{id}/merge-preview before), the old id still "
            "finding the survivor, and the merge taken back (/patients/merges/{id}/undo).",
            "Patients: restricted charts (/patients/{id}/restricted), 404 for whoever is not on the care team; emergency "
            "access for four hours (/patients/{id}/break-glass, /patients/break-glass); who looked at a record "
            "(/patients/{id}/access-log).",
            "Medical history: read by type, recorded by hand, corrected by retraction.",
            "Doctors: the ids that doctor_id means.",
            "The OpenAPI file at /v1/openapi.json and /v1/openapi.yaml, and these pages.",
        ),
    ),
)
