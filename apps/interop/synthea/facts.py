"""The tables of the mapping: spellings, categories, the words of the source and ours."""

from collections.abc import Mapping

from apps.patients.chart.entry_types import EntryType

# RxNorm's name of the concept if the source misspells it, by RxCUI.
DRUG_NAMES = {"316672": "Simvastatin 10 MG"}

# The source calls every allergy a food allergy. These SNOMED CT findings are not: mould, animal dander, grass pollen,
# tree pollen, house dust mite, bee venom, latex.
ENVIRONMENTAL_ALLERGIES = frozenset({"419474003", "232347008", "418689008", "419263009", "232350006", "424213003", "300916003"})

GENDER = {
    **{word: word for word in ("male", "female", "other", "unknown")},
    **{"m": "male", "f": "female", "o": "other", "u": "unknown", "": "unknown"},
}
ALLERGY_STATUS = {"active": "active", "inactive": "inactive", "resolved": "resolved"}
CONDITION_STATUS = {
    "active": "active",
    "recurrence": "active",
    "relapse": "active",
    "inactive": "inactive",
    "remission": "remission",
    "resolved": "resolved",
}
MEDICATION_STATUS = {
    "active": "active",
    "completed": "completed",
    "stopped": "stopped",
    "cancelled": "stopped",
    "on-hold": "on_hold",
}
IMMUNIZATION_STATUS = {"completed": "completed", "not-done": "not_done"}

OBSERVATION_TYPE: Mapping[str, EntryType] = {
    "laboratory": EntryType.LAB_RESULT,
    "vital-signs": EntryType.VITAL_SIGN,
    "vital-sign": EntryType.VITAL_SIGN,
}
NOTE_TITLE = {"survey": "Survey", "social-history": "Social history", "exam": "Examination", "imaging": "Imaging"}
NOTE_TITLE |= {"procedure": "Finding of a procedure", "therapy": "Therapy", "": "Observation"}
VISIT_TITLE = {
    **dict.fromkeys(("AMB", "ambulatory", "outpatient"), "Ambulatory visit"),
    **dict.fromkeys(("EMER", "emergency"), "Emergency visit"),
    **dict.fromkeys(("IMP", "inpatient"), "Inpatient stay"),
    "daytime": "Day stay",
    "wellness": "Check-up",
    "urgentcare": "Urgent care visit",
    "home": "Home visit",
    "virtual": "Virtual visit",
    "hospice": "Hospice stay",
    "snf": "Nursing home stay",
}

_STATES = """
AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut, DE Delaware, DC District of Columbia,
FL Florida, GA Georgia, HI Hawaii, ID Idaho, IL Illinois, IN Indiana, IA Iowa, KS Kansas, KY Kentucky, LA Louisiana, ME Maine,
MD Maryland, MA Massachusetts, MI Michigan, MN Minnesota, MS Mississippi, MO Missouri, MT Montana, NE Nebraska, NV Nevada,
NH New Hampshire, NJ New Jersey, NM New Mexico, NY New York, NC North Carolina, ND North Dakota, OH Ohio, OK Oklahoma, OR Oregon,
PA Pennsylvania, RI Rhode Island, SC South Carolina, SD South Dakota, TN Tennessee, TX Texas, UT Utah, VT Vermont, VA Virginia,
WA Washington, WV West Virginia, WI Wisconsin, WY Wyoming, AS American Samoa, GU Guam, MP Northern Mariana Islands,
PR Puerto Rico, VI Virgin Islands
"""
_CODE_BY_STATE = {entry.strip()[3:].lower(): entry.strip()[:2] for entry in _STATES.replace("\n", " ").split(",")}


def state_code(written: str) -> str:
    """Returns the USPS code of a state that is spelled out; anything else as written."""
    return _CODE_BY_STATE.get(written.lower(), written)
