"""Diagnoses that do not fit a patient are pointed out, and those that fit are not."""

import json
import subprocess
import sys

import pytest

from apps.terminology.icd10 import plausibility

READS_STARTS = """
import django, json
django.setup()
from apps.terminology.icd10 import plausibility, release_files
codes = [entry.code for entry in release_files.read()]
ends = {end for group in plausibility.CODE_GROUPS for end in (group.first, group.last)}
print(json.dumps(sorted(end for end in ends if not any(code.startswith(end) for code in codes))))
"""


@pytest.mark.parametrize(
    ("code", "age", "sex", "words"),
    [
        ("O80", 56, "male", "recorded as male"),
        ("O80", 70, "female", "70 years old"),
        ("O80", 6, "female", "6 years old"),
        ("N40.1", 8, "male", "8 years old"),
        ("C61", 60, "female", "recorded as female"),
        ("P59.9", 30, "male", "30 years old"),
        ("Z00.129", 40, "female", "40 years old"),
        ("Z00.00", 4, "female", "4 years old"),
        ("O9A.212", 30, "male", "recorded as male"),
        ("Z3A.20", 30, "male", "recorded as male"),
        ("N95.1", 50, "male", "recorded as male"),
    ],
)
def test_a_diagnosis_that_does_not_fit_says_why(code: str, age: int, sex: str, words: str) -> None:
    reason = plausibility.implausibility(code, age_years=age, sex=sex)
    assert reason.startswith(f"{code} is for ")
    assert words in reason


@pytest.mark.parametrize(
    ("code", "age", "sex"),
    [
        ("O80", 30, "female"),
        ("O80", 9, "female"),
        ("O80", 64, "female"),
        ("O80", 30, "other"),
        ("N40.1", 70, "male"),
        ("P59.9", 0, "male"),
        ("Z00.129", 17, "female"),
        ("Z00.00", 15, "female"),
        ("I10", 56, "male"),
        ("C50.919", 50, "male"),
        ("N39.0", 50, "male"),
        ("N60.01", 50, "male"),
        ("P00", 0, "unknown"),
        ("Z38.00", 0, "male"),
    ],
)
def test_a_diagnosis_that_fits_says_nothing(code: str, age: int, sex: str) -> None:
    assert plausibility.implausibility(code, age_years=age, sex=sex) == ""


def test_every_end_of_a_range_is_a_code_of_the_release() -> None:
    done = subprocess.run([sys.executable, "-c", READS_STARTS], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
