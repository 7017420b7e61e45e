"""The safety checks: allergies, names, duplicates, interactions, doses, conditions of the patient, and closed charts."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D

import pytest

from apps.prescriptions.safety import disclosure, names
from apps.prescriptions.safety.facts import Medicine, Person, Pregnant, Verdict
from apps.prescriptions.tests.safety_kit import TODAY, allergy, chart, check, child, knowledge, line, recorded, woman

AMOXICILLIN = ("Amoxicillin 500 MG Oral Capsule", "500 mg", "three times a day", "7 days")


def _alerts(verdict: Verdict, kind: str = "") -> list[tuple[str, str]]:
    return [(alert.severity.value, alert.kind) for alert in verdict.alerts if not kind or alert.kind == kind]


def _unchecked(verdict: Verdict) -> str:
    return "; ".join(one.because for one in verdict.not_checked)


class TestAllergies:
    @pytest.mark.parametrize(
        "text", ["PCN", "penicilin", "Pen VK", "Penicillin allergy", "Augmentin", "amoxicillin", "ampicillin 500 mg"]
    )
    def test_a_penicillin_allergy_stops_amoxicillin_however_it_is_written(self, text: str) -> None:
        assert _alerts(check(line(*AMOXICILLIN), chart(allergy(text))), "allergy") == [("contraindicated", "allergy")]

    @pytest.mark.parametrize(
        ("text", "drug"),
        [
            ("Augmentin", "Ampicillin 500 MG Oral Capsule"),
            ("Bactrim", "Trimethoprim 100 MG"),
            ("sulfa", "Sulfamethoxazole 800 MG"),
            ("penicillin", "Amoxicillin 875 MG / Clavulanate"),
        ],
    )
    def test_a_brand_counts_as_each_of_its_ingredients(self, text: str, drug: str) -> None:
        assert ("contraindicated", "allergy") in _alerts(check(line(drug), chart(allergy(text))))

    def test_every_line_names_an_allergy_that_cannot_be_matched(self) -> None:
        verdict = check([line(*AMOXICILLIN), line("Lisinopril 10 MG")], chart(allergy("strawberry pink syrup")))

        assert [one.because for one in verdict.not_checked].count("allergy “strawberry pink syrup” is not coded") == 2
        assert all("allergies" not in names for names in verdict.checked.values())

    def test_the_part_of_an_allergy_that_is_known_counts(self) -> None:
        verdict = check(line(*AMOXICILLIN), chart(allergy("strawberries and penicillin")))

        assert ("contraindicated", "allergy") in _alerts(verdict)
        assert "allergy “strawberries” is not coded" in _unchecked(verdict)

    @pytest.mark.parametrize("text", ["peanut", "Latex", "peanuts and latex"])
    def test_what_is_no_medicine_is_known_and_matches_no_drug(self, text: str) -> None:
        verdict = check(line("Lisinopril 10 MG", "10 mg", "once daily"), chart(allergy(text)))

        assert (verdict.alerts, verdict.not_checked) == ((), ())

    @pytest.mark.parametrize("text", ["penicillam", "penicilla", "sulf"])
    def test_the_beginning_of_a_name_is_not_guessed(self, text: str) -> None:
        assert names.meaning(text, knowledge()) == names.Meaning(frozenset(), text)

    def test_penicillamine_is_not_penicillin(self) -> None:
        verdict = check(line(*AMOXICILLIN), chart(allergy("penicillamine")))

        assert _alerts(verdict, "allergy") == [("info", "allergy")]
        assert "check that penicillin was not meant" in verdict.alerts[0].because

    @pytest.mark.parametrize(
        ("text", "drug", "alerts"),
        [
            ("penicillin", "Ceftriaxone 1000 MG", ["info"]),
            ("penicillin", "Cefazolin 1000 MG", ["info"]),
            ("amoxicillin", "Cephalexin 500 MG", ["major"]),
            ("ampicillin", "Cefadroxil 500 MG", ["major"]),
            ("penicillin", "Cephalexin 500 MG", ["major"]),
            ("sulfa", "Furosemide 40 MG", ["info"]),
            ("sulfa", "Hydrochlorothiazide 25 MG Oral", ["info"]),
            ("aspirin", "Naproxen 500 MG", ["contraindicated"]),
            ("lisinopril", "Sacubitril 24 MG", ["major", "info"]),
            ("codeine", "Morphine Sulfate 15 MG", ["major"]),
            ("penicillin", "Azithromycin 250 MG", []),
            ("sulfa", "Lisinopril 10 MG", []),
        ],
    )
    def test_what_cross_reacts_is_graded(self, text: str, drug: str, alerts: list[str]) -> None:
        assert [severity for severity, _ in _alerts(check(line(drug), chart(allergy(text))), "allergy")] == alerts

    @pytest.mark.parametrize(
        ("entry", "severity"),
        [
            ({"is_intolerance": True}, "moderate"),
            ({"is_unconfirmed": True}, "major"),
            ({"is_mild": True}, "major"),
            ({"is_mild": True, "criticality": "high"}, "contraindicated"),
            ({"is_unconfirmed": True, "criticality": "high"}, "contraindicated"),
            ({"criticality": "low"}, "contraindicated"),
        ],
    )
    def test_type_certainty_and_criticality_count(self, entry: dict[str, object], severity: str) -> None:
        verdict = check(line(*AMOXICILLIN), chart(allergy("penicillin", **entry)))

        assert _alerts(verdict, "allergy") == [(severity, "allergy")]

    def test_an_alert_says_what_is_not_confirmed_and_what_is_an_intolerance(self) -> None:
        unconfirmed = check(line(*AMOXICILLIN), chart(allergy("penicillin", is_unconfirmed=True, reaction="rash")))
        intolerance = check(line(*AMOXICILLIN), chart(allergy("penicillin", is_intolerance=True)))

        assert unconfirmed.alerts[0].because.startswith("Allergy to penicillin (rash, not confirmed) is in the chart")
        assert intolerance.alerts[0].because.startswith("Intolerance to penicillin is in the chart")

    def test_never_asked_is_not_none(self) -> None:
        never, none_known = check(line("Lisinopril 10 MG"), chart(asked=False)), check(line("Lisinopril 10 MG"), chart())

        assert "the patient was never asked about allergies" in _unchecked(never)
        assert "asked about allergies" not in _unchecked(none_known)
        assert "allergies" in next(iter(none_known.checked.values()))


class TestNames:
    @pytest.mark.parametrize("text", ["hydralazine", "hydroxyzine", "penicillamine", "prednisone", "prednisolone", "metformin"])
    def test_a_known_name_is_never_read_as_another(self, text: str) -> None:
        assert names.meaning(text, knowledge()).means == {text}

    @pytest.mark.parametrize(
        ("text", "means"),
        [
            ("Simvistatin 10 MG", {"simvastatin"}),
            ("Penicillin V Potassium 500 MG", {"penicillin v"}),
            ("amoxicillin/clavulanate", {"amoxicillin", "clavulanate"}),
            ("Zestril 10 mg tablets", {"lisinopril"}),
            ("paracetamol", {"acetaminophen"}),
            ("NSAIDs", {"class:nsaid", "class:nsaid_nonselective"}),
            ("peanut", set()),
            ("", set()),
        ],
    )
    def test_a_text_of_the_chart_is_matched(self, text: str, means: set[str]) -> None:
        assert names.meaning(text, knowledge()).means == means


class TestDuplicates:
    def test_a_renewal_in_the_last_fifth_of_its_days_is_no_duplicate(self) -> None:
        taken = line(
            "Metformin hydrochloride 500 MG Oral",
            "500 mg",
            "twice a day",
            since=date(2026, 9, 2),
            ends=TODAY + timedelta(3),
            days=D(30),
        )
        renewed = line("Metformin hydrochloride 500 MG Oral", "500 mg", "twice a day")

        verdict = check(renewed, chart(taken))

        assert _alerts(verdict, "duplicate") == [("info", "duplicate")]
        assert verdict.alerts[0].because == "Continues the metformin of 2 Sep 2026."

    @pytest.mark.parametrize(
        ("left", "drug", "dosage"),
        [
            (25, "Metformin hydrochloride 500 MG Oral", "500 mg"),
            (3, "Metformin hydrochloride 1000 MG", "1000 mg"),
            (3, "Metformin hydrochloride 500 MG Oral", "1000 mg"),
        ],
    )
    def test_an_early_renewal_and_another_strength_are_duplicates(self, left: int, drug: str, dosage: str) -> None:
        taken = line("Metformin hydrochloride 500 MG Oral", "500 mg", "twice a day", ends=TODAY + timedelta(left), days=D(30))

        assert ("major", "duplicate") in _alerts(check(line(drug, dosage, "twice a day"), chart(taken)))

    def test_a_medicine_without_an_end_is_renewed_by_the_same_dose_and_frequency(self) -> None:
        taken = line("Lisinopril 10 MG", "10 mg", "once daily", since=date(2026, 8, 1))

        same, more = (check(line("Lisinopril 10 MG", "10 mg", often), chart(taken)) for often in ("once daily", "twice a day"))

        assert _alerts(same, "duplicate") == [("info", "duplicate")]
        assert _alerts(more, "duplicate") == [("major", "duplicate")]

    def test_a_course_whose_days_have_run_out_is_not_active(self) -> None:
        course = line(*AMOXICILLIN, since=date(2012, 3, 1), ends=date(2012, 3, 8), days=D(7))

        assert _alerts(check(line(*AMOXICILLIN), chart(course))) == []

    def test_two_lines_of_one_prescription_are_a_duplicate(self) -> None:
        both = [line(*AMOXICILLIN), line("Amoxicillin 875 MG / Clavulanate", "1 tablet", "twice a day")]

        (alert,) = [alert for alert in check(both).alerts if alert.kind == "duplicate"]
        assert (alert.severity.value, set(alert.lines)) == ("major", {one.key for one in both})

    @pytest.mark.parametrize(
        ("one", "other", "alerts"),
        [
            ("Ibuprofen 600 MG", "Naproxen 500 MG", True),
            ("Simvastatin 20 MG", "Atorvastatin 20 MG", True),
            ("Lisinopril 10 MG", "Enalapril Maleate 10 MG", True),
            ("Diclofenac Sodium 10 MG/G Topical Gel", "Ibuprofen 600 MG", False),
            ("Lisinopril 10 MG", "Amlodipine 10 MG", False),
        ],
    )
    def test_two_members_of_a_class_are_a_duplicate(self, one: str, other: str, alerts: bool) -> None:
        assert bool(_alerts(check(line(one), chart(line(other))), "duplicate")) is alerts


class TestInteractions:
    @pytest.mark.parametrize(
        ("one", "other", "severity"),
        [
            ("Digoxin 0.25 MG", "Verapamil hydrochloride 80 MG", "major"),
            ("Simvastatin 20 MG", "Verapamil hydrochloride 80 MG", "major"),
            ("Naproxen 500 MG", "Warfarin Sodium 5 MG", "major"),
            ("Clopidogrel 75 MG", "Omeprazole 20 MG", "moderate"),
            ("Clarithromycin 500 MG", "Atorvastatin 20 MG", "major"),
            ("Clarithromycin 500 MG", "Simvastatin 20 MG", "contraindicated"),
            ("Lisinopril 10 MG", "Losartan Potassium 50 MG", "major"),
            ("Lisinopril 10 MG", "Sacubitril 24 MG", "contraindicated"),
            ("Naproxen 500 MG", "Apixaban 5 MG", "major"),
            ("Ibuprofen 600 MG", "Methotrexate 2.5 MG", "major"),
            ("Sertraline 50 MG", "Phenelzine 15 MG", "contraindicated"),
            ("Codeine Sulfate 30 MG", "Diazepam 5 MG", "major"),
            ("Tramadol hydrochloride 50 MG", "Diazepam 5 MG", "major"),
            ("Pimozide 2 MG", "Haloperidol 5 MG", "contraindicated"),
            ("Thioridazine hydrochloride 50 MG", "Citalopram 20 MG", "contraindicated"),
        ],
    )
    def test_a_pair_is_one_alert_with_the_same_id_in_both_directions(self, one: str, other: str, severity: str) -> None:
        (forth,) = [alert for alert in check(line(one), chart(line(other))).alerts if alert.kind == "interaction"][:1]
        (back,) = [alert for alert in check(line(other), chart(line(one))).alerts if alert.kind == "interaction"][:1]
        (together,) = [alert for alert in check([line(one), line(other)]).alerts if alert.kind == "interaction"][:1]

        assert forth.severity == severity
        assert forth.id == back.id == together.id
        assert len(_alerts(check(line(one), chart(line(other))), "interaction")) == (2 if "Sacubitril" in other else 1)

    def test_qt_pairs_are_one_alert(self) -> None:
        taken = (line("Haloperidol 5 MG"), line("Ondansetron 4 MG"), line("Azithromycin 250 MG"))

        (alert,) = [alert for alert in check(line("Citalopram 20 MG"), chart(*taken)).alerts if alert.kind == "interaction"]

        assert alert.severity == "major"
        assert alert.because.startswith(
            "Azithromycin, citalopram, haloperidol and ondansetron together: they prolong the QT interval"
        )

    @pytest.mark.parametrize("local", ["Ketoconazole 20 MG/G Topical Cream", "Diclofenac Sodium 10 MG/G Topical Gel"])
    @pytest.mark.parametrize("taken", ["Simvastatin 20 MG", "Warfarin Sodium 5 MG"])
    def test_a_cream_raises_no_systemic_pair(self, local: str, taken: str) -> None:
        assert _alerts(check(line(local), chart(line(taken))), "interaction") == []

    def test_a_stale_entry_is_reported_with_a_question(self) -> None:
        verdict = check(line("Codeine Sulfate 30 MG"), chart(recorded("diazepam", date(1959, 5, 1))))

        assert "(diazepam last recorded 1959: still taken?)" in verdict.alerts[0].because

    def test_every_line_names_a_medicine_that_cannot_be_matched(self) -> None:
        verdict = check(line("Lisinopril 10 MG"), chart(recorded("herbal tea from the market")))

        assert "medicine “herbal tea from the market” is not coded" in _unchecked(verdict)
        assert "interactions" not in next(iter(verdict.checked.values()))


class TestDoses:
    def test_daily_amounts_are_added_up_over_lines_and_medicines(self) -> None:
        tylenol = line("Acetaminophen 500 MG Oral Tablet", "2 tablets", "4 times a day")
        norco = line("Acetaminophen 325 MG / HYDROcodone Bitartrate 5 MG", "1 tablet", "every 6 hours")

        (alert,) = [alert for alert in check(tylenol, chart(norco)).alerts if alert.kind == "daily_limit"]

        assert alert.because == "5,300 mg of acetaminophen a day; the limit is 4,000 mg."

    def test_a_weekly_drug_is_never_daily(self) -> None:
        daily = check(line("Methotrexate 2.5 MG", "4 tablets", "once daily"))
        weekly = check(line("Methotrexate 2.5 MG", "4 tablets", "once a week on Monday"))

        assert ("contraindicated", "interval") in _alerts(daily)
        assert _alerts(weekly) == []

    @pytest.mark.parametrize(("dosage", "kinds"), [("70 mg", ["interval"]), ("10 mg", [])])
    def test_a_weekly_strength_is_not_given_daily(self, dosage: str, kinds: list[str]) -> None:
        verdict = check(line("Alendronic acid 10 MG Oral Tablet", dosage, "once daily"), chart(person=woman(Pregnant.NO)))

        assert [kind for _, kind in _alerts(verdict, "interval")] == kinds

    def test_a_tenfold_error_is_noticed_with_the_likely_dose(self) -> None:
        (alert,) = check(line("Levothyroxine Sodium 0.05 MG", "500 mcg", "once daily")).alerts

        assert alert.because == "500 mcg of levothyroxine a day; usual is 12.5 mcg to 300 mcg. Did you mean 50 mcg?"

    def test_a_usual_range_is_for_the_first_order_only(self) -> None:
        taken = line("Levothyroxine Sodium 0.05 MG", "500 mcg", "once daily", ends=TODAY + timedelta(1), days=D(30))

        assert _alerts(check(line("Levothyroxine Sodium 0.05 MG", "500 mcg", "once daily"), chart(taken)), "usual_dose") == []

    @pytest.mark.parametrize(
        ("dosage", "kinds"), [("5 mg", {"dose_unit"}), ("250 mL", {"dose_limit", "daily_limit"}), ("10 mL", set())]
    )
    def test_milligrams_and_millilitres_are_not_confused(self, dosage: str, kinds: set[str]) -> None:
        verdict = check(line("Amoxicillin 50 MG/ML Oral Suspension", dosage, "three times a day"), chart(person=child(6, "20")))

        assert {kind for _, kind in _alerts(verdict)} == kinds

    def test_a_dose_by_weight_names_the_weight(self) -> None:
        verdict = check(line("Amoxicillin 50 MG/ML Oral Suspension", "15 mL", "three times a day"), chart(person=child(6, "20")))

        assert verdict.alerts[0].because == "2,250 mg of amoxicillin a day; the limit is 1,800 mg (90 mg/kg at 20 kg)."

    @pytest.mark.parametrize(
        ("years", "weighed", "missing"),
        [
            (6.0, date(2023, 9, 1), True),
            (6.0, TODAY - timedelta(180), False),
            (6.0, TODAY - timedelta(181), True),
            (1.0, TODAY - timedelta(30), False),
            (1.0, TODAY - timedelta(31), True),
        ],
    )
    def test_the_weight_of_a_child_is_valid_for_a_time(self, years: float, weighed: date, missing: bool) -> None:
        verdict = check(
            line("Amoxicillin 50 MG/ML Oral Suspension", "2 mL", "three times a day"), chart(person=child(years, "9", weighed))
        )

        assert bool(_alerts(verdict, "weight_missing")) is missing

    def test_an_old_weight_is_named_with_its_day(self) -> None:
        old = chart(person=child(6, "20", date(2023, 9, 1)))

        assert (
            "the weight is from 1 Sep 2023"
            in check(line("Amoxicillin 50 MG/ML Oral Suspension", "5 mL", "daily"), old).alerts[0].because
        )

    @pytest.mark.parametrize(("dosage", "kinds"), [("10 mL", []), ("20 mL", ["dose_limit"])])
    def test_a_dose_by_kilogram_is_compared_with_the_weight(self, dosage: str, kinds: list[str]) -> None:
        verdict = check(line("Ibuprofen 20 MG/ML Oral Suspension", dosage, "once daily"), chart(person=child(6, "30")))

        assert [kind for _, kind in _alerts(verdict, "dose_limit")] == kinds

    def test_a_suppository_acts_on_the_whole_body(self) -> None:
        taken = replace(line("Diclofenac Sodium 75 MG"), route="rectal")

        assert ("major", "interaction") in _alerts(check(line("Warfarin Sodium 5 MG"), chart(taken)))

    def test_an_amount_that_could_not_be_added_is_named(self) -> None:
        tylenol = line("Acetaminophen 500 MG Oral Tablet", "1 tablet", "twice a day")
        verdict = check(tylenol, chart(recorded("acetaminophen")))

        assert "the daily amount of acetaminophen in “acetaminophen” is not known and not added" in _unchecked(verdict)
        assert "dose" not in verdict.checked[tylenol.key]

    def test_an_adult_needs_no_weight_without_a_row_by_kilogram(self) -> None:
        assert _alerts(check(line(*AMOXICILLIN)), "weight_missing") == []

    def test_the_upper_end_of_a_range_is_checked(self) -> None:
        verdict = check(line("Acetaminophen 500 MG Oral Tablet", "1-2 tablets", "every 4 hours"))

        assert "6,000 mg of acetaminophen a day" in verdict.alerts[0].because

    @pytest.mark.parametrize(
        ("sent", "because"),
        [
            (("Oxycodone hydrochloride 5 MG Oral Tablet", "1 tablet", "daily"), "there is no dose limit of oxycodone"),
            (("Lisinopril 10 MG", "as directed", ""), "the dose is left to other directions"),
            (("Lisinopril 10 MG", "1 tablet", "now and then"), "the daily amount of lisinopril is not known"),
        ],
    )
    def test_a_dose_that_is_not_checked_says_why(self, sent: tuple[str, str, str], because: str) -> None:
        verdict = check(line(*sent))

        assert because in _unchecked(verdict)
        assert "dose" not in next(iter(verdict.checked.values()))

    def test_a_checked_line_names_the_checks_that_ran(self) -> None:
        verdict = check(line("Lisinopril 10 MG", "10 mg", "once daily"))

        assert next(iter(verdict.checked.values())) == ("allergies", "dose", "duplicates", "interactions")


class TestConditions:
    @pytest.mark.parametrize(("years", "severity"), [(5, ["contraindicated", "moderate"]), (13, ["moderate"]), (19, [])])
    def test_a_drug_may_be_wrong_for_the_age(self, years: int, severity: list[str]) -> None:
        verdict = check(line("Codeine Sulfate 30 MG"), chart(person=child(years, "40")))

        assert [one for one, kind in _alerts(verdict) if kind == "age"] == severity[:1]

    @pytest.mark.parametrize(
        ("pregnant", "alerts", "unchecked"),
        [(Pregnant.YES, [("contraindicated", "pregnancy")], False), (Pregnant.NO, [], False), (Pregnant.NOT_ASKED, [], True)],
    )
    def test_pregnancy_counts_only_when_it_is_known(
        self, pregnant: Pregnant, alerts: list[tuple[str, str]], unchecked: bool
    ) -> None:
        verdict = check(line("Isotretinoin 40 MG"), chart(person=woman(pregnant)))

        assert _alerts(verdict) == alerts
        assert ("pregnancy was not asked" in _unchecked(verdict)) is unchecked

    def test_a_man_is_not_asked_about_pregnancy(self) -> None:
        assert "pregnancy" not in _unchecked(check(line("Isotretinoin 40 MG")))

    @pytest.mark.parametrize(
        ("egfr", "alerts", "unchecked"),
        [
            (None, [], "no eGFR is recorded"),
            ((D(25), TODAY - timedelta(30)), [("contraindicated", "kidney")], ""),
            ((D(60), TODAY - timedelta(30)), [], ""),
            ((D(25), TODAY - timedelta(400)), [], "the last eGFR is older than 12 months"),
        ],
    )
    def test_kidney_function_counts_only_when_it_is_recent(
        self, egfr: tuple[D, date] | None, alerts: list[tuple[str, str]], unchecked: str
    ) -> None:
        verdict = check(
            line("Metformin hydrochloride 500 MG Oral", "500 mg", "twice a day"), chart(person=Person(age_days=20_000, egfr=egfr))
        )

        assert _alerts(verdict) == alerts
        assert unchecked in _unchecked(verdict)


class TestClosedCharts:
    def test_a_caller_without_access_learns_only_that_there_is_a_conflict(self) -> None:
        hidden = replace_hidden(line("Phenelzine 15 MG"))
        whole = check(line("Sertraline 50 MG"), chart(hidden, allergy("sertraline", is_hidden=True)))

        shown = disclosure.for_reader(whole, may_see_all=False)

        assert {alert.id for alert in shown.alerts} == {alert.id for alert in whole.alerts}
        assert {alert.because for alert in shown.alerts} == {
            "Conflicts with a medicine in the closed part of the chart.",
            "Conflicts with an allergy in the closed part of the chart.",
        }
        assert "henelzine" not in repr(shown.alerts)
        assert disclosure.for_reader(whole, may_see_all=True) == whole

    def test_the_id_of_an_alert_cannot_be_made_from_the_drugs_alone(self) -> None:
        taken, sertraline = line("Phenelzine 15 MG"), line("Sertraline 50 MG")
        open_ids = {one.id for one in check(sertraline, chart(taken)).alerts}
        sealed = [check(sertraline, replace(chart(taken), secret=secret)).alerts for secret in (b"one", b"one", b"other")]

        assert {one.id for one in sealed[0]} == {one.id for one in sealed[1]}
        assert not {one.id for one in sealed[0]} & ({one.id for one in sealed[2]} | open_ids)

    @pytest.mark.parametrize("prescribed", ["Acetaminophen 500 MG Oral Tablet", "Lisinopril 10 MG Oral Tablet"])
    def test_what_is_not_added_says_nothing_of_the_content_of_a_hidden_medicine(self, prescribed: str) -> None:
        new = line(prescribed, "1 tablet", "twice a day")
        verdict = check(new, chart(recorded("acetaminophen", is_hidden=True)))

        assert "the daily amount of a medicine in the closed part of the chart is not known" in _unchecked(verdict)
        assert "acetaminophen" not in _unchecked(verdict)
        assert "dose" not in verdict.checked[new.key]

    def test_a_cream_is_not_missed_in_a_sum_that_leaves_creams_out(self) -> None:
        tablet = line("Acetaminophen 500 MG Oral Tablet", "1 tablet", "twice a day")
        gel = replace(recorded("acetaminophen"), route="topical")

        assert "not added" not in _unchecked(check(tablet, chart(gel)))

    def test_a_hidden_entry_that_cannot_be_matched_is_not_named(self) -> None:
        verdict = check(
            line("Lisinopril 10 MG"), chart(recorded("secret herb", is_hidden=True), allergy("secret", is_hidden=True))
        )

        assert "secret" not in _unchecked(verdict)
        assert "in the closed part of the chart is not coded" in _unchecked(verdict)


def replace_hidden(medicine: Medicine) -> Medicine:
    """Return the medicine as one that the caller may not see."""
    return replace(medicine, is_hidden=True)


class TestUnknown:
    def test_a_drug_without_ingredients_is_never_shown_as_safe(self) -> None:
        unknown = Medicine(key="line", name="Ortho Tri-Cyclen 28 Day Pack")
        verdict = check(unknown)

        assert verdict.checked == {"line": ()}
        assert "its ingredients are not known" in _unchecked(verdict)

    def test_every_line_names_an_ingredient_that_no_row_mentions(self) -> None:
        verdict = check(line("Insulin glargine 100 UNT/ML", "10 units", "daily"))

        assert "there is no knowledge of insulin glargine" in _unchecked(verdict)
        assert "interactions" not in next(iter(verdict.checked.values()))
