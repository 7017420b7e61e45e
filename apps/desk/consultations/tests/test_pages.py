"""The pages of a visit: what each role is offered, what a refused form keeps, and the messages after a save."""

from datetime import timedelta

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.common import clock
from apps.consultations import rules
from apps.consultations.models import Consultation, StepSave
from apps.consultations.rules import State, Status, StepRequirements, Workflow, fixed_requirements, progress
from apps.consultations.steps.definitions import Step
from apps.consultations.tests.factories import save, signed, start_consultation
from apps.desk.appointments import labels
from apps.desk.consultations.tests.test_admin import LIST, fill_in, page
from apps.patients.tests.factories import chart, register_patient


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "saves"), [("doctor", set(range(10))), ("nurse", {0, 1, 2, 3}), ("admin", set(range(10)))])
def test_a_role_is_offered_the_steps_that_it_may_save(staff: dict[str, User], role: str, saves: set[int]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff[role])
    assert {number for number in range(10) if client.get(page("step", visit, number)).context["may_save"]} == saves
    assert client.get(page("step", visit, 10)).status_code == 404


@pytest.mark.django_db
def test_a_save_says_what_it_did_and_a_draft_stays_at_its_step(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    address = page("step", visit, 7)
    draft = client.post(address, {"version": "0", "plan": "Rest", "_draft": "1"})
    assert (draft.status_code, draft.headers["Location"]) == (302, address)
    assert StepSave.objects.get().state == "in_progress"
    assert "Treatment plan: saved as a draft." in client.get(address).content.decode()
    done = client.post(address, {"version": "1", "plan": "Rest"})
    assert done.headers["Location"] == page("step", visit, 8)  # the next one in the fixed order, though an earlier one is open
    assert "Treatment plan: saved." in client.get(address).content.decode()


@pytest.mark.django_db
def test_a_refused_form_keeps_what_was_entered(staff: dict[str, User], colleague: User) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    refused = fill_in(client, page("step", visit, 9), follow_up_date="2020-01-01", instructions="Drink more")
    assert "1 Jan 2020 is in the past" in refused.context["form"].errors["follow_up_date"][0]
    assert "Drink more" in refused.content.decode()
    unsigned = client.post(page("complete", visit), {"reason": "Called away"})
    assert "Called away" in unsigned.content.decode()
    handed = client.post(page("hand_over", visit), {"doctor_id": str(staff["nurse"].pk), "reason": "End of the shift"})
    assert "End of the shift" in handed.content.decode()
    offered = [value for value, _ in handed.context["form"].fields["doctor_id"].choices]
    assert offered == ["", str(colleague.pk)]
    started = browser(staff["nurse"]).post(f"{LIST}add/?patient={visit.row.patient_id}", {"workflow_type": "slow"})
    assert set(started.context["form"].errors) == {"workflow_type", "doctor_id"}
    assert Consultation.objects.get().status == "in_progress"


@pytest.mark.django_db
def test_the_list_has_the_visits_of_a_day_in_the_clinic(staff: dict[str, User]) -> None:
    visits = [start_consultation(staff["doctor"], register_patient()).row.pk for _ in range(4)]
    for pk, days in zip(visits, (0, 1, 6, 8), strict=True):
        Consultation.objects.filter(pk=pk).update(started_at=clock.now() - timedelta(days=days))
    client = browser(staff["doctor"])

    def shown(day: str) -> list[int]:
        rows = client.get(f"{LIST}?day={day}").context["cl"].result_list
        return sorted(visits.index(row.pk) for row in rows)

    assert (shown("today"), shown("yesterday"), shown("week")) == ([0], [1], [0, 1, 2])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "actions"),
    [
        ("in_progress", {"complete", "hold", "hand-over", "cancel"}),
        ("on_hold", {"resume", "hand-over", "cancel"}),
        ("completed", {"addendum"}),
    ],
)
def test_a_doctor_is_offered_what_the_status_allows(staff: dict[str, User], status: str, actions: set[str]) -> None:
    doctor, client = staff["doctor"], browser(staff["doctor"])
    visit = signed(doctor, register_patient()) if status == "completed" else start_consultation(doctor, register_patient())
    if status == "on_hold":
        client.post(page("hold", visit), {"reason": "X-ray"})
    text = client.get(page("change", visit)).content.decode()
    names = {"complete", "addendum", "ready", "hold", "resume", "hand-over", "cancel"}
    assert {name for name in names if f'"{page(name.replace("-", "_"), visit)}"' in text} == actions


@pytest.mark.django_db
def test_a_codes_only_reader_is_not_offered_the_filter_of_alerts(staff: dict[str, User]) -> None:
    save(staff["nurse"], start_consultation(staff["doctor"], register_patient()), 1, {"bp": "210/130"})
    for role, offered in (("billing", False), ("nurse", True)):
        client = browser(staff[role])
        assert ("Alert not acknowledged" in client.get(LIST).content.decode()) is offered
        assert bool(client.get(f"{LIST}?status=alert").context["cl"].result_list) is offered


# --- progress, without a database

DONE, OPEN = State.COMPLETED, State.IN_PROGRESS


@pytest.mark.parametrize(
    ("workflow", "saved", "current", "missing", "recommended"),
    [
        ("standard", {}, 0, [0, 1, 2, 3, 4, 6, 7], 0),
        ("standard", {0: DONE, 1: OPEN}, 1, [1, 2, 3, 4, 6, 7], 1),
        ("standard", dict.fromkeys([0, 1, 2, 3, 4], DONE), 5, [6, 7], 6),
        ("standard", dict.fromkeys([0, 1, 2, 3, 4, 6], DONE), 7, [7], 7),
        ("standard", dict.fromkeys([0, 1, 2, 3, 4, 6, 7], DONE), 8, [], 8),
        ("standard", dict.fromkeys(range(10), DONE), 10, [], 10),
        ("quick", {}, 2, [2, 7], 2),
        ("quick", {2: DONE}, 7, [7], 7),
        ("quick", {2: DONE, 7: OPEN}, 7, [7], 7),
        ("quick", {2: DONE, 7: DONE}, 10, [], 10),
        ("quick", {2: DONE, 7: DONE, 9: OPEN}, 9, [], 9),
    ],
)
def test_a_visit_goes_on_at_its_lowest_open_step(
    workflow: str, saved: dict[int, State], current: int, missing: list[int], recommended: int
) -> None:
    states = {Step(number): state for number, state in saved.items()}
    reached = progress(workflow, Status.IN_PROGRESS, fixed_requirements(workflow), states)
    assert (reached.current, list(reached.missing), reached.recommended) == (current, missing, recommended)


@pytest.mark.parametrize(
    ("status", "current", "recommended"),
    [("in_progress", 0, 2), ("on_hold", 0, 2), ("completed", 10, None), ("amended", 10, None), ("cancelled", 0, None)],
)
def test_only_a_live_visit_has_a_next_step(status: str, current: int, recommended: int | None) -> None:
    reached = progress(Workflow.ADAPTIVE, status, StepRequirements({Step.SYMPTOMS: "x"}, {}), {})
    assert (reached.current, reached.recommended) == (current, recommended)


@pytest.mark.parametrize(
    ("workflow", "saved", "step", "blocking"),
    [
        ("standard", [], 0, None),
        ("standard", [], 1, 0),
        ("standard", [0], 1, None),
        ("standard", [0], 9, 1),
        ("standard", [0, 1, 2, 3, 4], 5, None),
        ("standard", [0, 1, 2, 3, 4], 6, None),
        ("standard", [0, 1, 2, 3, 4], 7, 6),
        ("standard", [0, 1, 2, 3, 4, 6, 7], 9, None),
        ("quick", [], 7, None),
        ("adaptive", [], 9, None),
    ],
)
def test_only_a_standard_visit_is_saved_in_order(workflow: str, saved: list[int], step: int, blocking: int | None) -> None:
    states = dict.fromkeys(map(Step, saved), DONE)
    reached = progress(workflow, Status.IN_PROGRESS, fixed_requirements(workflow), states)
    assert rules.blocking_step(workflow, Step(step), reached) == blocking


def test_a_step_that_was_touched_is_never_skipped() -> None:
    requirements = StepRequirements({}, {Step.EXAMINATION: "A follow-up."})
    for saved, state, reason in (({}, State.SKIPPED, "A follow-up."), ({Step.EXAMINATION: OPEN}, OPEN, "")):
        one = progress(Workflow.ADAPTIVE, Status.IN_PROGRESS, requirements, saved).steps[Step.EXAMINATION]
        assert (one.state, one.required, one.reason) == (state, False, reason)


def test_an_untouched_step_of_a_signed_visit_was_not_needed() -> None:
    reached = progress(Workflow.ADAPTIVE, Status.COMPLETED, StepRequirements({Step.SYMPTOMS: "x"}, {}), {Step(10): DONE})
    assert [(int(one.step), one.reason) for one in reached.steps if one.state == State.SKIPPED] == [
        (number, "Was not needed.") for number in (0, 1, 3, 4, 5, 6, 7, 8, 9)
    ]


@pytest.mark.django_db
def test_a_step_shows_its_place_and_only_its_own_prompts(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    visit = save(staff["doctor"], visit, 1, {"bp": "210/130"})
    prompts, alerts = visit.row.guidance["prompts"], [one["id"] for one in visit.alerts]
    assert {line["step"] for line in prompts} == {1}
    for number, its_prompts, its_alerts in ((1, prompts, alerts), (2, [], [])):
        shown = client.get(page("step", visit, number)).context
        assert [one.number for one in shown["rail"] if one.is_here] == [number]
        assert (shown["prompts"], [one["id"] for one in shown["alerts"]]) == (its_prompts, its_alerts)
    whole = client.get(page("change", visit)).context
    assert (whole["prompts"], [one["id"] for one in whole["alerts"]]) == (prompts, alerts)


@pytest.mark.django_db
def test_the_page_of_a_visit_shows_what_was_entered_and_the_primary_diagnosis(staff: dict[str, User]) -> None:
    visit, client = start_consultation(staff["doctor"], register_patient()), browser(staff["doctor"])
    save(staff["doctor"], visit, 7, {"plan": "Rest and fluids"})
    save(staff["doctor"], visit, 6, {"diagnoses": [{"code": "I10"}, {"code": "R51.9", "primary": True}]})
    shown = client.get(page("change", visit)).context
    ((to, by, doctor),) = [(one["to"], one["by"], one["doctor"]) for one in shown["history"]]
    assert (to.lower(), by, doctor) == ("in progress", staff["doctor"].full_name, labels.doctor(staff["doctor"]))
    lines = [line for one in shown["content"] for line in one["lines"]]
    ((_, diagnoses),) = [line for line in lines if line[0] == "Diagnoses"]
    assert [one.endswith(" (primary)") for one in diagnoses.split("; ")] == [False, True]
    assert "Rest and fluids" in [text for _, text in lines]


@pytest.mark.django_db
def test_what_is_offered_from_the_record_has_its_date_in_words(staff: dict[str, User]) -> None:
    patient = register_patient()
    chart(patient, "medication", "Metformin", occurred_on="2015-06")
    visit = start_consultation(staff["doctor"], patient)
    shown = browser(staff["doctor"]).get(page("step", visit, 3)).content.decode()
    assert "Jun 2015" in shown
    assert "2015-06" not in shown
