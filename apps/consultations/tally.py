"""How many consultations there are, without counting them: triggers write, `reads` sums up, a worker keeps the sum short."""

from apps.common import tallies

FOLD = tallies.folding("consultations_tally", "consultations")


def fold() -> int:
    """Add the rows up into one. Answers whether there were several. Any number may run at once."""
    return tallies.fold(FOLD)
