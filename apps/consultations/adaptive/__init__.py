"""What an adaptive visit needs: a table of rules (`table`), their conditions (`facts`), applied in its order (`engine`).

Facts go in; required and skipped steps, where to turn next, prompts, alerts and what can be offered for confirmation come out,
each with the rule it comes from and why. Pure: the same facts and the same table give the same answer, word for word; nothing is
learnt and nothing is weighed. The table's version is kept with each visit.

NOT REVIEWED BY A CLINICIAN: the rules are written from the sources they name, for a clinic to review before it relies on them.
"""

from apps.consultations.adaptive.engine import Guidance, guide, requirements_of, urgent_alerts
from apps.consultations.adaptive.facts import Facts
from apps.consultations.adaptive.table import NOT_REVIEWED, RULES, VERSION

__all__ = ["NOT_REVIEWED", "RULES", "VERSION", "Facts", "Guidance", "guide", "requirements_of", "urgent_alerts"]
