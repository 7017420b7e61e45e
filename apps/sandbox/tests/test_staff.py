"""The staff everybody signs in as."""

import re

from stdnum import luhn

from apps.access.roles import STAFF as ROLES
from apps.sandbox.samples.sample_ids import DOCTORS, PATIENTS, SAMPLE_IDS, fixed_id
from apps.sandbox.samples.staff import ID_OF, PASSWORD, STAFF

DOCTORS_ON_STAFF = [member for member in STAFF if member.role == "doctor"]


def test_every_role_can_sign_in():
    assert {member.role for member in STAFF} == set(ROLES)


def test_the_sign_ins_are_those_of_the_contract():
    assert " ".join(member.username for member in STAFF) == (
        "admin manager.davis dr.smith dr.patel dr.lee nurse.jones reception.kim pharm.garcia lab.chen billing.brown mfa.user"
    )
    assert PASSWORD == "Sandbox-2025!"


def test_dr_smith_is_the_one_the_reference_prints():
    (smith,) = [member for member in STAFF if member.username == "dr.smith"]
    assert (smith.email, smith.first_name, smith.last_name, smith.alias) == ("dr.smith@hims.com", "Dr.", "Smith", "doctor_001")


def test_a_doctors_npi_has_a_right_check_digit_and_is_his_alone():
    assert all(luhn.is_valid("80840" + member.npi) for member in DOCTORS_ON_STAFF)
    assert len({member.npi for member in DOCTORS_ON_STAFF}) == 3


def test_only_a_doctor_has_specialty_taxonomy_and_languages():
    for member in STAFF:
        practice = (member.specialty, member.taxonomy, member.npi, member.languages)
        assert all(practice) if member.role == "doctor" else not any(practice), member.username
        assert not member.taxonomy or re.fullmatch(r"[0-9A-Z]{9}X", member.taxonomy)


def test_the_ids_behind_the_aliases_never_change():
    assert tuple(SAMPLE_IDS) == (*PATIENTS, *DOCTORS)
    assert {name: str(sample_id) for name, sample_id in SAMPLE_IDS.items()} == {
        "patient_001": "6f3965ea-30e3-5784-85bb-843fec089e4a",
        "patient_002": "9f2e5a49-ab09-57ed-80f6-9594dbdbc650",
        "patient_003": "0613fa46-1cad-5b1b-b055-18e79a41ee63",
        "doctor_001": "bc75f865-252b-5862-a6c1-a85a71371882",
        "doctor_002": "a813f1a6-d2bf-5323-91fe-446a84bcfb10",
        "doctor_003": "44c9a6d4-ab53-5150-b27f-201fcbf603d3",
    }
    assert ID_OF["dr.smith"] == SAMPLE_IDS["doctor_001"]
    assert fixed_id("nurse.jones") == ID_OF["nurse.jones"]


def test_everybody_has_an_id_of_his_own():
    assert len(set(ID_OF.values()) | set(SAMPLE_IDS.values())) == len(STAFF) + len(PATIENTS)
