"""The terms in which each app's `tests/contract.py` states who may do what. `hims/tests/contracts.py` collects these modules.

A module states what its app has:

- `MATRIX`: operation -> one cell for each role, in the order of `ROLES`
- `PUBLIC`: the operations that need no sign-in; `ENDS_SESSION`: those that may sign the caller out
- `KEY_SCOPES`: operation -> the scope that an API key needs for it; None: keys are refused
- `WRITES_WITHOUT_READ`: operation whose reply shows a key that may not read only ids -> the role of the key's owner
- `PATIENT_WRITES`: operation that names a patient, in its route or its body -> a call that is accepted (`PatientCall`)
- `PATIENT_FORMS`: name of an admin page whose form is about the patient of its address -> a call that is accepted
- `IDENTITY`: fields of replies that say who a patient is; `STAFF_REPLIES`: serializers whose such fields are those of staff
- `samples(staff)`: rows, for calling the operations (`Samples`)
- `PAGE_PARAMETERS`: parameters that staff pages read, besides those of lists
- `pages(staff)`: address of each staff page -> the roles that may open it

An operation is written as method and route, like `GET /patients/{id}`. A cell is `y` yes, `o` own or assigned rows only,
`r` reduced, `-` refused with 403, or `c`: refused, unless the installation lets administrators act clinically
(HIMS_ADMIN_CLINICAL).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ROLES = ("admin", "doctor", "nurse", "receptionist", "pharmacist", "lab_technician", "billing", "manager")
EVERYONE, ADMIN = "y y y y y y y y", "y - - - - - - -"  # rows of a MATRIX
ADMINISTRATION = "y - - - - - - y"

EVERY_ROLE = frozenset(ROLES)
ALL_BUT_MANAGER = EVERY_ROLE - {"manager"}
MANAGEMENT = frozenset({"admin", "manager"})
FRONT_OFFICE = frozenset({"admin", "doctor", "nurse", "receptionist"})
CLINICAL = frozenset({"admin", "doctor", "nurse"})  # tests run with HIMS_ADMIN_CLINICAL


@dataclass(frozen=True)
class PatientCall:
    """A write about a patient: the role that may call it, and its body or the values of its form.

    A value may be a placeholder: `{patient}`, `{other}` (another patient), `{doctor}`, `{at}` (a free time of the doctor) or
    `{day}` (of that time). `accepted` is False where the patient must be in another state first, such as inactive. `query`
    completes the address of a form.
    """

    role: str
    body: Mapping[str, Any] = field(default_factory=dict)
    accepted: bool = True
    query: str = ""


@dataclass(frozen=True)
class Samples:
    """Rows that operations and pages are tried on.

    `ids` has the values of `{id}` by the beginning of the route (the longest beginning counts), and the values of other
    placeholders by their name (`{entry}`). `bodies` and `queries` are by operation; an operation that writes and has no body here
    is called with an empty one. `twins` are addresses of staff pages with the operation that the same roles may call.
    """

    ids: Mapping[str, Any] = field(default_factory=dict)
    bodies: Mapping[str, Any] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)
    twins: Mapping[str, str] = field(default_factory=dict)

    def knows(self, operation: str) -> bool:
        """Returns whether the operation can be called in a way that it accepts."""
        return operation.startswith("GET ") or operation in self.bodies

    def address(self, operation: str) -> str:
        """Returns the address of the operation, about the sample rows."""
        route = operation.partition(" ")[2]
        beginnings = [start for start in self.ids if route.startswith(start)]
        address = route.replace("{id}", str(self.ids[max(beginnings, key=len)])) if "{id}" in route and beginnings else route
        for name, value in self.ids.items():
            address = address.replace(name, str(value)) if name.startswith("{") else address
        return address + self.queries.get(operation, "")
