"""How many consultations there are, without counting them: triggers write, `reads` sums up, a worker keeps the sum short."""

from apps.common import row_counters

COMPACT = row_counters.compact_statement("consultations_rowcounter", "consultations")


def compact() -> int:
    """Add the rows up into one. Answers whether there were several. Any number may run at once."""
    return row_counters.compact(COMPACT)
