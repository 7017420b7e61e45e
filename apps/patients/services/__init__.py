"""What can be done with patients and charts. Read through the module: `services.register(...)`, `services.record(...)`."""

from apps.patients.services.charting import (
    AllergiesListed,
    AlreadyRetracted,
    NewEntry,
    record,
    record_no_known_allergies,
    retract,
)
from apps.patients.services.registry import (
    AlreadyActive,
    AlreadyInactive,
    MrnTaken,
    Registered,
    Registration,
    amend,
    deactivate,
    reactivate,
    register,
    write_search_words,
)
from apps.patients.services.transfer import Transfer, transfer_in

__all__ = [
    "AllergiesListed",
    "AlreadyActive",
    "AlreadyInactive",
    "AlreadyRetracted",
    "MrnTaken",
    "NewEntry",
    "Registered",
    "Registration",
    "Transfer",
    "amend",
    "deactivate",
    "reactivate",
    "record",
    "record_no_known_allergies",
    "register",
    "retract",
    "transfer_in",
    "write_search_words",
]
