"""A name of 91 letters without a blank wraps on every page that shows one, in a window of 1280 pixels. A block of the schedule is
as high as its time: it cuts the name, and its title has the whole of it."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser

from apps.access.actor import SYSTEM
from apps.patients import services as patients
from hims.tests import factories
from hims.tests.admin_scenario import CHROMIUM, chromium, open_admin  # noqa: F401  # a fixture

LONG = "Wolfe" + "schlegelsteinhausenbergerdorff" * 2 + "x" * 26
# What is wider than the window or than its container, and shows text: not what is one pixel wide, for screen readers only.
_TOO_WIDE = """() => {
  const right = one => one.getBoundingClientRect().right;
  const isUnseen = one => { const box = one.closest(".vh"); return box && box.offsetWidth <= 1 && box.offsetHeight <= 1; };
  const isCut = one => {
    const box = one.closest(".appt b"), style = box && getComputedStyle(box);
    return box && style.overflowX === "hidden" && style.textOverflow === "ellipsis" && right(box) <= window.innerWidth + 1
      && one.closest("[title]").title.includes(one.textContent.trim());
  };
  return [...document.querySelectorAll("html, .banner, bdi, h1, h2, .breadcrumbs, .messagelist li")]
  .filter(one => !isUnseen(one) && !isCut(one))
  .filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline"
                 || right(one) > window.innerWidth + 1)
  .map(one => `${one.tagName} ${one.className} ${one.scrollWidth} > ${one.clientWidth}`);
}"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium (apt-get install chromium)"),
]


@pytest.fixture
def pages() -> dict[str, str]:
    staff = factories.create_staff()
    doctor = staff["doctor"]
    patient, twin = factories.register_patient(LONG, LONG), factories.register_patient(LONG, LONG, phone="415 555 0134")
    patients.refresh_duplicate_candidates(by=SYSTEM, patient_id=twin.pk)
    factories.publish(doctor)
    visit = factories.book(patient, doctor)
    factories.book_and_check_in(factories.register_patient("Ida", LONG), doctor, 40, "routine")
    return {
        "patients": reverse("admin:patients_patient_changelist"),
        "patient": reverse("admin:patients_patient_change", args=[patient.pk]),
        "deactivate": reverse("admin:patients_patient_deactivate", args=[patient.pk]),
        "merge-choose": reverse("admin:patients_patient_merge", args=[patient.pk]) + f"?q={LONG[:20]}",
        "merge": reverse("admin:patients_patient_merge", args=[patient.pk]) + f"?into={twin.pk}",
        "suspected": reverse("admin:patients_duplicatecandidate_changelist"),
        "chart": reverse("admin:patients_chartentry_changelist") + f"?patient={patient.pk}",
        "schedule": reverse("admin:schedule") + f"?date={factories.at().date()}",
        "queue": reverse("admin:queue"),
        "visits": reverse("admin:appointments_appointment_changelist"),
        "visit": reverse("admin:appointments_appointment_change", args=[visit.pk]),
        "book-choose": reverse("admin:appointments_appointment_add") + f"?q={LONG[:20]}",
    }


def test_a_long_name_widens_no_page(chromium: Browser, live_server: Any, pages: dict[str, str]) -> None:  # noqa: F811
    here, context = open_admin(chromium, live_server)
    here.sign_in("admin.ward")
    wide = {}
    for name, address in pages.items():
        page = here.open(address)
        assert LONG.upper() in page.inner_text("body").upper(), name
        if too_wide := page.evaluate(_TOO_WIDE):
            wide[name] = too_wide
    context.close()
    assert len(LONG) == 91
    assert not wide
