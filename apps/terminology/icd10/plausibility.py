"""Which diagnoses are unusual for a patient's age or sex. Pure; a warning to look again, never a refusal.

The age groups are those of the age edits of the Medicare Code Editor (CMS, Definitions of Medicare Code Edits): newborn 0
years, pediatric 0 to 17, maternity 9 to 64, adult 15 and older. The ranges of codes follow the chapters and blocks of ICD-10-CM
that these edits and the editor's former sex edits were about; they are wider than the editor's lists of single codes. No
clinician has reviewed the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

OLDEST = 150
NEWBORN = range(1)
PEDIATRIC = range(18)
MATERNITY = range(9, 65)
ADULT = range(15, OLDEST)
ANY = range(OLDEST)


@dataclass(frozen=True, slots=True)
class CodeGroup:
    """Codes from `first` to `last`, including those below `last`, and the patients they fit. `sex` is "" if it makes no
    difference."""

    first: str
    last: str
    what: str
    ages: range = ANY
    sex: str = ""


CODE_GROUPS: Sequence[CodeGroup] = (
    CodeGroup("A34", "A34", "obstetrical tetanus", MATERNITY, "female"),
    CodeGroup("B26.0", "B26.0", "mumps orchitis", sex="male"),
    CodeGroup("C51", "C58", "cancer of the female genital organs", sex="female"),
    CodeGroup("C60", "C60", "cancer of the penis", sex="male"),
    CodeGroup("C61", "C61", "cancer of the prostate", ADULT, "male"),
    CodeGroup("C62", "C63", "cancer of the male genital organs", sex="male"),
    CodeGroup("D06", "D06", "carcinoma in situ of the cervix", sex="female"),
    CodeGroup("D25", "D28", "benign tumors of the female genital organs", sex="female"),
    CodeGroup("D29", "D29", "benign tumors of the male genital organs", sex="male"),
    CodeGroup("E28", "E28", "ovarian dysfunction", sex="female"),
    CodeGroup("E29", "E29", "testicular dysfunction", sex="male"),
    CodeGroup("N40", "N40", "enlarged prostate", ADULT, "male"),
    CodeGroup("N41", "N53", "diseases of the male genital organs", sex="male"),
    CodeGroup("N70", "N94", "diseases of the female genital organs", sex="female"),
    CodeGroup("N95", "N95", "menopausal disorders", ADULT, "female"),
    CodeGroup("N96", "N98", "female infertility and habitual loss", sex="female"),
    CodeGroup("O00", "O9A", "pregnancy, childbirth and the puerperium", MATERNITY, "female"),
    CodeGroup("P00", "P96", "conditions of newborns", NEWBORN),
    CodeGroup("Q50", "Q52", "malformations of the female genital organs", sex="female"),
    CodeGroup("Q53", "Q55", "malformations of the male genital organs", sex="male"),
    CodeGroup("R86", "R86", "findings in male genital specimens", sex="male"),
    CodeGroup("R87", "R87", "findings in female genital specimens", sex="female"),
    CodeGroup("Z00.11", "Z00.11", "newborn examinations", NEWBORN),
    CodeGroup("Z00.12", "Z00.12", "routine child health examinations", PEDIATRIC),
    CodeGroup("Z00.0", "Z00.0", "general adult examinations", ADULT),
    CodeGroup("Z12.4", "Z12.4", "screening for cancer of the cervix", sex="female"),
    CodeGroup("Z12.5", "Z12.5", "screening for cancer of the prostate", sex="male"),
    CodeGroup("Z33", "Z37", "pregnancy and delivery", MATERNITY, "female"),
    CodeGroup("Z39", "Z39", "care after delivery", MATERNITY, "female"),
    CodeGroup("Z3A", "Z3A", "weeks of pregnancy", MATERNITY, "female"),
)


def implausibility(code: str, *, age_years: int, sex: str, age: str = "") -> str:
    """Returns why a code is unusual for a patient, as a sentence; empty where it fits.

    `age_years` is the age in completed years on the day of the diagnosis; `age` is the same in words, like `6 weeks`. `sex` is
    the recorded one; only `male` and `female` are compared, since for others the record does not tell which organs a patient has.
    """
    for group in CODE_GROUPS:
        if not group.first <= code[: len(group.first)] or not code[: len(group.last)] <= group.last:
            continue
        reasons = []
        if group.sex and sex in ("male", "female") and sex != group.sex:
            reasons.append(f"the patient is recorded as {sex}")
        if age_years not in group.ages:
            reasons.append(f"the patient is {age or f'{age_years} years'} old")
        if reasons:
            return f"{code} is for {group.what}, but {' and '.join(reasons)}. Check the code and the patient."
    return ""
