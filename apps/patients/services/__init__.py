"""What can be done with patients and charts. Read through the module: `services.register(...)`, `services.record(...)`."""

from apps.patients.services.charting import (
    AllergiesListed,
    AlreadyRetracted,
    NewEntry,
    record,
    record_no_known_allergies,
    retract,
)
from apps.patients.services.duplicates import AlreadyToldApart, register_beside, tell_apart
from apps.patients.services.merging import AlreadyMerged, CannotStandTogether, merge
from apps.patients.services.registry import (
    AlreadyActive,
    AlreadyInactive,
    MrnTaken,
    Registered,
    Registration,
    amend,
    deactivate,
    described,
    reactivate,
    register,
    write_search_words,
)
from apps.patients.services.suspecting import look_for_duplicates
from apps.patients.services.transfer import Transfer, transfer_in
from apps.patients.services.unmerging import (
    AlreadySettled,
    AlreadyUndone,
    MergedFurther,
    NotTheSurvivors,
    settle_triage,
    undo_merge,
)

__all__ = [
    "AllergiesListed",
    "AlreadyActive",
    "AlreadyInactive",
    "AlreadyMerged",
    "AlreadyRetracted",
    "AlreadySettled",
    "AlreadyToldApart",
    "AlreadyUndone",
    "CannotStandTogether",
    "MergedFurther",
    "MrnTaken",
    "NewEntry",
    "NotTheSurvivors",
    "Registered",
    "Registration",
    "Transfer",
    "amend",
    "deactivate",
    "described",
    "look_for_duplicates",
    "merge",
    "reactivate",
    "record",
    "record_no_known_allergies",
    "register",
    "register_beside",
    "retract",
    "settle_triage",
    "tell_apart",
    "transfer_in",
    "undo_merge",
    "write_search_words",
]
