"""What an adaptive consultation needs: a table of rules (`table`), their conditions (`facts`), applied in its order (`engine`).

The input is facts. The output is required and skipped steps, the next steps, prompts, alerts and chart entries to confirm, each
with its rule and reason. Pure: the same facts and the same table give exactly the same result; nothing is learnt or weighted.
Each consultation stores the table's version.

NOT REVIEWED BY A CLINICIAN: the rules are written from the sources they name, for a clinic to review before it relies on them.
"""

from apps.consultations.adaptive.engine import Guidance, facts_compared, guide, requirements_of, urgent_alerts
from apps.consultations.adaptive.facts import Facts
from apps.consultations.adaptive.table import NOT_REVIEWED, RULES, VERSION

__all__ = ["NOT_REVIEWED", "RULES", "VERSION", "Facts", "Guidance", "facts_compared", "guide", "requirements_of", "urgent_alerts"]
