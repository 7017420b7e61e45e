"""Vital signs on the page of the step."""

from datetime import date, timedelta

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser
from apps.common import clinic_times, clock
from apps.consultations.models import StepSave
from apps.consultations.tests.factories import fill, start_consultation
from apps.consultations.tests.test_vitals import put, weight_on_record
from apps.desk.consultations.tests.test_admin import fill_in, page
from apps.patients.chart import vitals
from apps.patients.models import ChartEntry
from apps.patients.tests.factories import register_patient


@pytest.mark.django_db
def test_both_values_are_stored_the_metric_one_is_shown_and_the_chart_has_both(staff: dict[str, User]) -> None:
    visit = fill(staff["doctor"], start_consultation(staff["doctor"], register_patient(), "quick"), 2, 7)
    sent = {"temperature_c": 98.6, "temperature_unit": "F", "bp": "90/P", "pulse": "not_measurable"}
    reply = put(staff["doctor"], visit, sent)
    assert reply.status_code == 200, reply.content
    entry = reply.json()["data"]["consultation"]["step_data"]["vitals"]
    assert entry["data"]["temperature_c"] == 37.0
    assert entry["data"]["entered"] == {"temperature_c": {"value": 98.6, "unit": "F"}}
    assert entry["parsed"] == {"systolic": 90, "temperature_c": 37.0}
    shown = browser(staff["doctor"]).get(page("change", visit)).content.decode()
    assert "37 °C (entered as 98.6 °F)" in shown
    assert "not measurable" in shown
    done = api_client(staff["doctor"]).post(
        f"/consultations/{visit.row.pk}/complete", {"override_incomplete": True, "reason": "Referred at once"}
    )
    assert done.status_code == 200, done.content
    rows = {row.display: row for row in ChartEntry.objects.filter(type="vital_sign")}
    assert (rows["Systolic blood pressure"].value, rows["Systolic blood pressure"].detail["note"]) == (90, "By palpation")
    assert (rows["Body temperature"].value, rows["Body temperature"].detail["note"]) == (37, "Entered as 98.6 °F")
    assert (rows["Heart rate"].value, rows["Heart rate"].detail["value_text"]) == (None, "not measurable")
    assert "Diastolic blood pressure" not in rows


@pytest.mark.django_db
def test_the_page_offers_the_units_shows_the_last_values_and_says_that_the_limits_are_not_reviewed(
    staff: dict[str, User],
) -> None:
    patient = register_patient()
    weight_on_record(patient, "76.6", 2)
    visit, client = start_consultation(staff["doctor"], patient), browser(staff["doctor"])
    shown = client.get(page("step", visit, 1)).content.decode()
    assert (
        f'<b class="ltr">76.6</b> <span class="soft sm ltr">{clinic_times.day(clock.today() - timedelta(days=2))}</span>' in shown
    )
    assert '<option value="lb">lb</option>' in shown
    assert vitals.NOT_REVIEWED in shown
    assert fill_in(client, page("step", visit, 1), temperature_c="98.6", temperature_unit="F", bp="90/P").status_code == 302
    saved = StepSave.objects.get(number=1).data
    assert saved == {"bp": "90/P", "temperature_c": 37, "entered": {"temperature_c": {"value": 98.6, "unit": "F"}}}
    for unit in ("C", "F"):  # the page shows 37 and a unit is chosen: nothing was typed anew
        assert fill_in(client, page("step", visit, 1), temperature_unit=unit).status_code == 302
    assert StepSave.objects.count() == 1
    refusal = fill_in(client, page("step", visit, 1), weight_kg="180").content.decode()
    assert "hardly possible" in refusal
    assert fill_in(client, page("step", visit, 1), pulse="not measurable").status_code == 302
    assert StepSave.objects.filter(number=1).first().data["pulse"] == "not_measurable"


def test_the_page_names_its_boxes_and_not_the_fields_of_the_api(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient(born=date(1980, 5, 15)))
    client = browser(staff["doctor"])
    shown = fill_in(client, page("step", visit, 1), weight_kg="168.9", height_cm="72", temperature_c="98.6").content.decode()
    assert "Then choose the unit F." in shown
    shown = fill_in(client, page("step", visit, 1), height_cm="72").content.decode()
    assert "72 in = 182.9 cm (choose the unit in)" in shown
    assert "recheck and tick the box that confirms it" in shown
    assert "send " not in shown.partition("hardly possible")[2][:400]
