"""What patients register with the kit, and what they collect from the apps above.

With the kit: which charts are closed to a caller who repeats a request, and the right that seeing a patient in a warning
takes. From the apps: the foreign keys to a patient whose rows follow a merge.
"""

from collections.abc import Collection
from uuid import UUID

from apps.access.actor import Actor
from apps.common import domain
from apps.patients import selectors
from apps.patients.merging import patient_links
from apps.patients.rights import Permission
from apps.rest import disclosure, replays


def is_closed(by: Actor, ids: Collection[UUID]) -> bool:
    """Returns whether one of these ids belongs to a patient whose chart the actor may not open."""
    return selectors.any_closed(by, ids)


replays.register_closed_check(is_closed)
disclosure.register_records(Permission.PATIENT_VIEW, "patient", "patients", "candidates")
for config in domain.installed():
    for link in config.patient_links:
        patient_links.moves(*link.rsplit(".", 1))
