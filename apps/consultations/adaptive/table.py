"""The table of rules, one rule in each row: when it applies, why, and what it asks for.

NOT REVIEWED BY A CLINICIAN. Thresholds are from the sources named; the choice of rules is ours. A change of a row, or of the
order of rows, needs a new VERSION, because each consultation stores the version of its guidance. An `urgent` row notifies the
doctor, in every workflow.

Sources, as named in the rows: NEWS2 (Royal College of Physicians, National Early Warning Score 2, 2017: a single parameter that
scores 3); ACC/AHA 2017 (blood pressure guideline: 180/120 mmHg and above); NICE NG143 (fever in under-fives: 38 °C and above
below three months is high risk); FAST (stroke recognition); UN SDG 3.7 (indicators 3.7.1 and 3.7.2: women of reproductive age are
15 to 49, births are counted from 10 on; the rule does not apply to older patients, so the clinician must still ask; nor to
patients whose problems say that the uterus or both ovaries are absent, or that menopause is over, by the ICD-10-CM codes below);
"house": a custom of ours, for the clinic to decide.
"""

from collections.abc import Sequence

from apps.consultations.adaptive.facts import AnyOf, Is
from apps.consultations.adaptive.rule import Rule
from apps.consultations.steps.definitions import Step

VERSION = "2026-11.3"
NOT_REVIEWED = "These rules have not been reviewed by a clinician."

S = Step

_VERY_HIGH = AnyOf(Is("systolic", "at least", 180), Is("diastolic", "at least", 120))
_ADULT, _CHILD = Is("age_years", "at least", 16), Is("age_years", "below", 18)
_HEADACHE = Is("complaint", "mentions", ("headache", "head ache", "migraine"))
_CHEST = Is("complaint", "mentions", ("chest pain", "chest tight", "chest pressure"))
_BREATH = Is("complaint", "mentions", ("short of breath", "shortness of breath", "breathless", "difficulty breathing", "wheez"))
_BELLY = Is("complaint", "mentions", ("abdominal pain", "stomach pain", "belly pain"))
_HYPERTENSION = Is("problems", "has", ("ICD-10-CM:I10", "ICD-10-CM:I11", "ICD-10-CM:I12", "ICD-10-CM:I13", "SNOMED-CT:38341003"))
_DIABETES = Is("problems", "has", ("ICD-10-CM:E10", "ICD-10-CM:E11", "ICD-10-CM:E13", "SNOMED-CT:44054006"))
# Absence of the uterus (with and without the cervix) and of both ovaries, asymptomatic menopausal state, postmenopausal bleeding
# and vaginitis. Not N95.1, which includes the years before menopause, nor Z90.712 (the cervix alone), nor E28.31 (premature
# menopause, in which some patients still conceive).
_NO_PREGNANCY = ("Z90.710", "Z90.711", "Z90.722", "Q51.0", "Z78.0", "N95.0", "N95.2")

RULES: Sequence[Rule] = (
    Rule(
        rule_id="base.always",
        because="Every adaptive visit requires a complaint and an assessment.",
        source="house",
        requires=(S.SYMPTOMS, S.ASSESSMENT),
    ),
    # What cannot wait.
    Rule(
        rule_id="redflag.pressure",
        because="The blood pressure is {systolic:g}/{diastolic:g}, at or above 180/120.",
        source="ACC/AHA 2017",
        when=(_VERY_HIGH,),
        requires=(S.VITALS, S.EXAMINATION),
        first=S.EXAMINATION,
        at=S.VITALS,
        asks=("Repeat the blood pressure after five minutes of rest, on both arms.",),
        alert="Very high blood pressure: look for organ damage before the patient leaves.",
        urgent=True,
    ),
    Rule(
        rule_id="redflag.headache-pressure",
        because="A headache with a blood pressure of {systolic:g}/{diastolic:g}, at or above 180/120.",
        source="ACC/AHA 2017",
        when=(_HEADACHE, _VERY_HIGH),
        at=S.SYMPTOMS,
        asks=(
            "Did the headache begin suddenly, or is it the worst ever?",
            "Any change of vision, weakness, numbness or confusion?",
            "Any chest pain or shortness of breath?",
        ),
    ),
    Rule(
        rule_id="redflag.oxygen",
        because="The oxygen saturation is {spo2:g} %, at or below 91 %.",
        source="NEWS2",
        when=(Is("spo2", "at most", 91),),
        requires=(S.EXAMINATION,),
        first=S.EXAMINATION,
        at=S.VITALS,
        asks=("Measure the saturation again on another finger.",),
        alert="Low oxygen saturation.",
        urgent=True,
    ),
    Rule(
        rule_id="redflag.breathing",
        because="The respiratory rate is {respiratory_rate:g} a minute, at or above 25.",
        source="NEWS2",
        when=(_ADULT, Is("respiratory_rate", "at least", 25)),
        requires=(S.EXAMINATION,),
        at=S.VITALS,
        alert="Fast breathing: think of sepsis and of the heart and lungs.",
        urgent=True,
    ),
    Rule(
        rule_id="redflag.pulse",
        because="The pulse is {pulse:g} a minute, at or above 131.",
        source="NEWS2",
        when=(_ADULT, Is("pulse", "at least", 131)),
        requires=(S.EXAMINATION,),
        at=S.VITALS,
        alert="Very fast pulse.",
        urgent=True,
    ),
    Rule(
        rule_id="redflag.slow-pulse",
        because="The pulse is {pulse:g} a minute, at or below 40.",
        source="NEWS2",
        when=(_ADULT, Is("pulse", "at most", 40)),
        requires=(S.EXAMINATION,),
        at=S.VITALS,
        alert="Very slow pulse.",
        urgent=True,
    ),
    Rule(
        rule_id="redflag.low-pressure",
        because="The systolic blood pressure is {systolic:g}, at or below 90.",
        source="NEWS2",
        when=(_ADULT, Is("systolic", "at most", 90)),
        requires=(S.EXAMINATION,),
        at=S.VITALS,
        alert="Low blood pressure.",
        urgent=True,
    ),
    Rule(
        rule_id="redflag.cold",
        because="The temperature is {temperature_c:g} °C, at or below 35.0.",
        source="NEWS2",
        when=(_ADULT, Is("temperature_c", "at most", 35.0)),
        requires=(S.EXAMINATION,),
        at=S.VITALS,
        alert="Low body temperature.",
        urgent=True,
    ),
    Rule(
        rule_id="redflag.not-measurable",
        because="The blood pressure, the pulse or the oxygen saturation could not be measured.",
        source="house",
        when=(Is("not_measurable", "has", ("bp", "pulse", "spo2")),),
        requires=(S.VITALS, S.EXAMINATION),
        first=S.EXAMINATION,
        at=S.VITALS,
        asks=("Feel for a central pulse, and try another device or site.",),
        alert="A vital sign could not be measured: examine the patient now.",
        urgent=True,
    ),
    Rule(
        rule_id="redflag.infant-fever",
        because="A child of {age_days} days with {temperature_c:g} °C.",
        source="NICE NG143",
        when=(Is("age_days", "below", 91), Is("temperature_c", "at least", 38.0)),
        requires=(S.EXAMINATION,),
        first=S.EXAMINATION,
        at=S.VITALS,
        alert="Fever below three months of age: high risk of serious illness.",
        urgent=True,
    ),
    Rule(
        rule_id="redflag.stroke",
        because="The complaint may indicate a stroke.",
        source="FAST",
        when=(
            Is("complaint", "mentions", ("face droop", "facial droop", "slurred speech", "one-sided weakness", "arm weakness")),
        ),
        requires=(S.VITALS, S.EXAMINATION),
        first=S.EXAMINATION,
        at=S.SYMPTOMS,
        asks=("When was the patient last known to be well?",),
        alert="Possible stroke: time matters.",
    ),
    Rule(
        rule_id="redflag.self-harm",
        because="The complaint mentions self-harm or suicide.",
        source="house",
        when=(Is("complaint", "mentions", ("suicid", "self-harm", "self harm", "kill myself", "end my life")),),
        requires=(S.TREATMENT_PLAN,),
        at=S.SYMPTOMS,
        asks=("Ask directly about thoughts, plans and means.",),
        alert="Safety: agree on a plan before the patient leaves.",
    ),
    Rule(
        rule_id="redflag.chest-pain",
        because="The complaint concerns the chest.",
        source="house",
        when=(_CHEST,),
        requires=(S.VITALS, S.EXAMINATION),
        first=S.VITALS,
        at=S.SYMPTOMS,
        asks=("When did it begin, does it spread, does effort bring it on?", "Consider an electrocardiogram now."),
    ),
    Rule(
        rule_id="redflag.anticoagulated",
        because="A fall, a bleeding or a headache, with a blood thinner on the list.",
        source="house",
        when=(
            Is("complaint", "mentions", ("fall", "fell", "bleed", "blood in", "headache", "hit my head")),
            Is(
                "medications",
                "has",
                ("warfarin", "apixaban", "rivaroxaban", "dabigatran", "edoxaban", "coumadin", "eliquis", "xarelto"),
            ),
        ),
        requires=(S.EXAMINATION,),
        at=S.SYMPTOMS,
        asks=("Ask about head injury, and about dark stools.",),
        alert="The patient takes a blood thinner.",
    ),
    # What the reason for the visit asks for.
    Rule(
        rule_id="vitals.complaint",
        because="The complaint requires vital signs.",
        source="house",
        when=(
            AnyOf(_BREATH, _HEADACHE, _BELLY, Is("complaint", "mentions", ("fever", "dizz", "faint", "palpitation", "cough"))),
        ),
        requires=(S.VITALS,),
    ),
    Rule(
        rule_id="examination.complaint",
        because="The complaint requires an examination.",
        source="house",
        when=(AnyOf(_BREATH, _BELLY),),
        requires=(S.EXAMINATION,),
    ),
    Rule(
        rule_id="examination.severe-pain",
        because="The pain is {pain:g} of 10.",
        source="house",
        when=(Is("pain", "at least", 7),),
        requires=(S.EXAMINATION,),
        at=S.VITALS,
        asks=("Offer pain relief now.",),
    ),
    Rule(
        rule_id="visit.first",
        because="No earlier visit is recorded here.",
        source="house",
        when=(Is("last_visit_days", "unknown"), Is("appointment_type", "one of", ("consultation",))),
        at=S.HISTORY_REVIEW,
        asks=("Take a full history: allergies, medicines, problems, operations, family.",),
    ),
    Rule(
        rule_id="visit.follow-up",
        because="The visit is a follow-up.",
        source="house",
        when=(Is("appointment_type", "is", "follow_up"),),
        skips=(S.EXAMINATION,),
        at=S.SYMPTOMS,
        asks=("What has changed since the last visit?",),
    ),
    Rule(
        rule_id="visit.telehealth",
        because="The visit is not in person.",
        source="house",
        when=(Is("appointment_type", "is", "telehealth"),),
        skips=(S.VITALS, S.EXAMINATION),
        at=S.PATIENT_OVERVIEW,
        asks=("Where is the patient now, and on which number can you call back?",),
    ),
    Rule(
        rule_id="visit.vaccination",
        because="The visit is for a vaccination.",
        source="house",
        when=(Is("appointment_type", "is", "vaccination"),),
        requires=(S.HISTORY_REVIEW,),
        skips=(S.EXAMINATION, S.INVESTIGATIONS),
        at=S.HISTORY_REVIEW,
        asks=("Any reaction to an earlier vaccine? Any fever today?",),
    ),
    Rule(
        rule_id="visit.lab",
        because="The visit is for laboratory tests.",
        source="house",
        when=(Is("appointment_type", "is", "lab"),),
        skips=(S.EXAMINATION, S.PRESCRIPTIONS),
        at=S.INVESTIGATIONS,
        asks=("Has the patient fasted, where a test needs it?",),
    ),
    Rule(
        rule_id="visit.procedure",
        because="The visit is for a procedure.",
        source="house",
        when=(Is("appointment_type", "is", "procedure"),),
        requires=(S.PATIENT_OVERVIEW, S.HISTORY_REVIEW),
        at=S.PATIENT_OVERVIEW,
        asks=("Confirm identity, site and consent.",),
    ),
    Rule(
        rule_id="visit.emergency",
        because="The visit is an emergency.",
        source="house",
        when=(Is("appointment_type", "is", "emergency"),),
        requires=(S.VITALS, S.EXAMINATION, S.TREATMENT_PLAN),
        first=S.VITALS,
    ),
    # Who the patient is.
    Rule(
        rule_id="child.vitals",
        because="The patient is {age_text} old.",
        source="house",
        when=(_CHILD, Is("appointment_type", "one of", ("walk_in", "consultation", "follow_up", "emergency", "procedure"))),
        requires=(S.VITALS,),
    ),
    Rule(
        rule_id="child.weight",
        because="The patient is {age_text} old, and no weight was measured in this visit.",
        source="house",
        when=(_CHILD, Is("weight_kg", "unknown")),
        at=S.PRESCRIPTIONS,
        asks=("Weigh the child before anything is prescribed.",),
    ),
    Rule(
        rule_id="child.drug-without-weight",
        because="A drug is being prescribed for a child who was not weighed in this visit.",
        source="house",
        when=(_CHILD, Is("weight_kg", "unknown"), Is("drugs_wanted", "is", True)),
        requires=(S.VITALS,),
        first=S.VITALS,
        at=S.VITALS,
        alert="No weight: a dose cannot be checked.",
    ),
    Rule(
        rule_id="pregnancy.possible",
        because="The patient is {age_text} old and may be pregnant.",
        source="UN SDG 3.7",
        when=(
            Is("sex", "is", "female"),
            Is("age_years", "at least", 10),
            Is("age_years", "at most", 49),
            Is("problems", "has none", tuple(f"ICD-10-CM:{code}" for code in _NO_PREGNANCY)),
        ),
        at=S.INVESTIGATIONS,
        asks=("Ask about pregnancy before X-rays and before drugs that harm the unborn.",),
    ),
    Rule(
        rule_id="elderly.many-drugs",
        because="The patient is {age_text} old and has {medication_count} medicines.",
        source="house",
        when=(Is("age_years", "at least", 75), Is("medication_count", "at least", 5)),
        requires=(S.HISTORY_REVIEW,),
        at=S.HISTORY_REVIEW,
        asks=("Review the medicines: which can be stopped?", "Any falls?"),
    ),
    # What is known of the patient.
    Rule(
        rule_id="history.allergies-not-asked",
        because="No allergy question has been answered yet.",
        source="house",
        when=(Is("allergy_status", "is", "not_asked"), Is("drugs_wanted", "is", True)),
        requires=(S.HISTORY_REVIEW,),
        at=S.HISTORY_REVIEW,
        asks=("Ask about allergies and record them, or record that there are none.",),
    ),
    Rule(
        rule_id="history.allergies",
        because="Allergies are recorded.",
        source="house",
        when=(Is("allergy_status", "is", "listed"),),
        at=S.HISTORY_REVIEW,
        asks=("Are these allergies still right?",),
        prefills="allergies",
    ),
    Rule(
        rule_id="history.medications",
        because="{medication_count} medicines are recorded.",
        source="house",
        when=(Is("medications", "known"),),
        at=S.HISTORY_REVIEW,
        asks=("Are these still the medicines taken?",),
        prefills="medications",
    ),
    Rule(
        rule_id="history.problems",
        because="Problems are recorded.",
        source="house",
        when=(Is("problems", "known"),),
        prefills="problems",
    ),
    Rule(
        rule_id="chronic.hypertension",
        because="High blood pressure is recorded.",
        source="house",
        when=(_HYPERTENSION,),
        requires=(S.VITALS,),
        at=S.FOLLOW_UP,
        asks=("When should the blood pressure be checked again?",),
    ),
    Rule(
        rule_id="chronic.diabetes",
        because="Diabetes is recorded.",
        source="house",
        when=(_DIABETES,),
        at=S.EXAMINATION,
        asks=("Feet, eyes, kidneys: when were they last examined?",),
    ),
    # What the visit has come to.
    Rule(
        rule_id="plan.tests",
        because="Tests are being ordered.",
        source="house",
        when=(Is("tests_wanted", "is", True),),
        at=S.FOLLOW_UP,
        asks=("How will the patient receive the results?",),
    ),
    Rule(
        rule_id="plan.drugs",
        because="Drugs are being prescribed.",
        source="house",
        when=(Is("drugs_wanted", "is", True),),
        requires=(S.TREATMENT_PLAN,),
    ),
)
