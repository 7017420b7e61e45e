"""The drawn part of the ward is the same on every machine, and varied enough to test with."""

import hashlib
import json
from collections import Counter

from anyascii import anyascii

from apps.sandbox.samples.generated_patients import SIZE, Dice, generate_patients


def digest(people):
    return hashlib.sha256(json.dumps(people, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def test_the_ward_is_the_same_on_every_machine_and_every_run():
    assert digest(generate_patients()) == digest(generate_patients())
    assert digest(generate_patients()) == "7843a38c8861e1b5f72244b8caf08f806699dfd9fa3b23e39043f20c09d31bb9", (
        "the ward has changed: if you meant it to, write the new digest here"
    )


def test_a_longer_ward_begins_like_a_shorter_one():
    assert generate_patients(SIZE + 20)[:SIZE] == generate_patients()


def test_the_dice_draw_the_same_numbers_everywhere():
    dice = Dice("check")
    assert [dice.whole(1, 6) for _ in range(12)] == [6, 5, 3, 2, 5, 6, 1, 1, 6, 5, 5, 5]


def test_the_ward_has_every_age():
    decades = Counter(2026 - int(person["registration"]["date_of_birth"][:4]) for person in generate_patients())
    children = sum(count for years, count in decades.items() if years < 18)
    old = sum(count for years, count in decades.items() if years > 65)
    assert children >= 8
    assert old >= 8
    assert max(decades) > 100
    assert min(decades) == 0


def test_the_ward_has_names_that_break_careless_code():
    names = [f"{person['registration']['first_name']} {person['registration']['last_name']}" for person in generate_patients()]
    assert any("'" in name for name in names)
    assert any("’" in name for name in names)
    assert any("-" in name for name in names)
    assert any(name != anyascii(name) for name in names)
    assert any(name.count(" ") >= 2 for name in names)
    assert {"ar", "es", "vi"} <= {person["registration"]["language"] for person in generate_patients()}


def test_the_ward_has_patients_with_one_name_and_births_of_every_precision():
    cards = [person["registration"] for person in generate_patients()]
    assert any(not card["first_name"] for card in cards)
    assert any(not card["last_name"] for card in cards)
    assert all(card["first_name"] or card["last_name"] for card in cards)
    assert {card.get("date_of_birth_precision", "day") for card in cards} == {"day", "month", "year", "estimated"}


def test_two_patients_share_a_name_and_two_share_name_and_birthday():
    cards = [person["registration"] for person in generate_patients()]
    assert max(Counter((card["first_name"], card["last_name"]) for card in cards).values()) == 2
    assert max(Counter((card["last_name"], card["date_of_birth"]) for card in cards).values()) == 2


def test_no_telephone_number_is_given_out_twice():
    numbers = [person["registration"]["phone"] for person in generate_patients() if person["registration"]["phone"]]
    assert len(numbers) == len(set(numbers))


def test_the_three_states_of_an_allergy_list_all_occur():
    def state(person):
        codes = {line["code"] for line in person["entries"] if line["type"] == "allergy"}
        return "not asked" if not codes else "none known" if codes == {"716186003"} else "listed"

    assert set(map(state, generate_patients())) == {"not asked", "none known", "listed"}


def test_nothing_is_measured_after_a_death():
    for person in generate_patients():
        died = person["registration"].get("deceased_at")
        assert not died or all(line["occurred_at"][:10] <= died[:10] for line in person["entries"])
