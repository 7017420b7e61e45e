"""Conditions that several rules share, and the codes that they look for. Their sources are those of the table's rows."""

from apps.consultations.adaptive.facts import AnyOf, Is

VERY_HIGH = AnyOf(Is("systolic", "at least", 180), Is("diastolic", "at least", 120))
ADULT, CHILD = Is("age_years", "at least", 16), Is("age_years", "below", 18)
HEADACHE = Is("complaint", "mentions", ("headache", "head ache", "migraine"))
CHEST = Is("complaint", "mentions", ("chest pain", "chest tight", "chest pressure"))
BREATH = Is("complaint", "mentions", ("short of breath", "shortness of breath", "breathless", "difficulty breathing", "wheez"))
BELLY = Is("complaint", "mentions", ("abdominal pain", "stomach pain", "belly pain"))
HYPERTENSION = Is("problems", "has", ("ICD-10-CM:I10", "ICD-10-CM:I11", "ICD-10-CM:I12", "ICD-10-CM:I13", "SNOMED-CT:38341003"))
DIABETES = Is("problems", "has", ("ICD-10-CM:E10", "ICD-10-CM:E11", "ICD-10-CM:E13", "SNOMED-CT:44054006"))
# Absence of the uterus (with and without the cervix) and of both ovaries, asymptomatic menopausal state, postmenopausal bleeding
# and vaginitis. Not N95.1, which includes the years before menopause, nor Z90.712 (the cervix alone), nor E28.31 (premature
# menopause, in which some patients still conceive).
_NO_PREGNANCY = tuple(f"ICD-10-CM:{code}" for code in ("Z90.710", "Z90.711", "Z90.722", "Q51.0", "Z78.0", "N95.0", "N95.2"))
MAY_CONCEIVE = (
    Is("sex", "is", "female"),
    Is("age_years", "at least", 10),
    Is("age_years", "at most", 49),
    Is("problems", "has none", _NO_PREGNANCY),
)
