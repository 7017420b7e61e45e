"""What a prepared read of patients must never keep from the moment it was made: who read, and when."""

from datetime import timedelta

import pytest
import time_machine

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import hire
from apps.common import clock
from apps.common.errors import NotFound
from apps.common.prepared import ACTOR_ID, NOW, PreparedQuery
from apps.patients import selectors, services
from apps.patients.confidentiality.models import open_to
from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient, restrict
from apps.rest.paging import Total
from apps.rest.scoped_list import RolePlaceholder

pytestmark = pytest.mark.django_db
ANY_DOCTOR = RolePlaceholder("doctor", admin_clinical=False)


def test_a_statement_that_would_keep_emergency_access_open_for_ever_is_refused() -> None:
    forgets_the_instant = Patient.objects.filter(open_to(ANY_DOCTOR))  # type: ignore[arg-type]
    with time_machine.travel(clock.now(), tick=False), pytest.raises(ValueError, match="datetime"):
        PreparedQuery(forgets_the_instant)
    PreparedQuery(Patient.objects.filter(open_to(ANY_DOCTOR, at=NOW)))  # type: ignore[arg-type]


def test_a_statement_that_would_show_one_users_patients_to_all_of_the_role_is_refused(staff: dict[str, User]) -> None:
    with pytest.raises(ValueError, match=str(staff["doctor"].pk)):
        PreparedQuery(Patient.objects.visible_to(staff["doctor"], NOW))
    assert ANY_DOCTOR.id is ACTOR_ID


def test_emergency_access_ends_on_the_list_and_for_the_patient(staff: dict[str, User]) -> None:
    closed, doctor = register_patient(), staff["doctor"]
    restrict(closed, staff["nurse"])
    assert selectors.list_page(visible_to=doctor).rows == []
    with time_machine.travel(clock.now(), tick=False) as now:
        services.break_glass(by=doctor, patient_id=closed.pk, reason="Unconscious in the hall")
        assert [row["id"] for row in selectors.list_page(visible_to=doctor).rows] == [closed.pk]
        assert selectors.patient(doctor, closed.pk) == closed
        now.shift(services.GLASS_OPEN + timedelta(seconds=1))
        page = selectors.list_page(visible_to=doctor)
        assert (page.rows, page.total) == ([], Total(0))
        with pytest.raises(NotFound):
            selectors.patient(doctor, closed.pk)
    assert selectors.list_page(visible_to=SYSTEM).total == Total(1)


def test_emergency_access_of_one_doctor_opens_the_list_of_no_other(staff: dict[str, User]) -> None:
    closed = register_patient()
    restrict(closed, staff["nurse"])
    services.break_glass(by=staff["doctor"], patient_id=closed.pk, reason="Unconscious in the hall")
    assert selectors.list_page(visible_to=staff["doctor"]).total == Total(1)
    assert selectors.list_page(visible_to=hire("colleague", "doctor")).total == Total(0)
