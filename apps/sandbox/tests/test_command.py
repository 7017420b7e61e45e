"""`manage.py sandbox`, as people and programs use it."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.access.actor import SYSTEM
from apps.access.roles import STAFF as STAFF_ROLES
from apps.accounts import services as accounts
from apps.sandbox.samples.sample_ids import SAMPLE_IDS
from apps.sandbox.samples.staff import KEYS, PASSWORD, STAFF

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("few_patients")]


def run(*words):
    out = StringIO()
    call_command("sandbox", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_seed_says_what_it_did_and_that_there_was_nothing_to_do():
    assert "Created 11 staff" in run("seed")
    assert run("seed").strip() == "The sample data already exist."


@pytest.mark.usefixtures("hospital")
class TestWithSampleData:
    def test_reset_lays_out_anew(self):
        assert "Created 11 staff" in run("reset")

    def test_the_credentials_are_json_for_programs(self):
        known = json.loads(run("credentials", "--json"))
        assert [one["username"] for one in known["staff"]] == [member.username for member in STAFF]
        assert {one["password"] for one in known["staff"]} == {PASSWORD}
        assert known["aliases"] == {name: str(sample_id) for name, sample_id in SAMPLE_IDS.items()}
        assert known["patients"][0]["mrn"] == "MRN001"

    def test_there_is_one_api_key_a_role_that_works(self):
        keys = json.loads(run("credentials", "--json"))["api_keys"]
        assert set(keys) == {role.value for role in STAFF_ROLES}
        for role, key in keys.items():
            status = Client().get("/v1/patients", headers={"x-api-key": key}).status_code
            assert status == 200, role

    def test_a_key_that_was_revoked_is_not_printed_and_comes_back_with_a_reset(self):
        admin = json.loads(run("credentials", "--json"))["api_keys"]["admin"]
        accounts.revoke_key(by=SYSTEM, key_id=KEYS[0].id)
        assert "admin" not in json.loads(run("credentials", "--json"))["api_keys"]
        assert admin not in run("credentials")
        run("reset")
        assert json.loads(run("credentials", "--json"))["api_keys"]["admin"] == admin
        assert Client().get("/v1/patients", headers={"x-api-key": admin}).status_code == 200

    def test_the_credentials_are_a_table_for_people(self):
        assert "nurse.jones" in run("credentials")


def test_there_are_no_credentials_before_there_are_people():
    assert json.loads(run("credentials", "--json")) == {"staff": [], "patients": [], "aliases": {}, "api_keys": {}}
    with pytest.raises(CommandError, match="sandbox seed"):
        run("credentials")


def test_a_clinic_is_refused_in_a_sentence(settings):
    settings.HIMS_ENV = "production"
    with pytest.raises(CommandError, match="not one"):
        run("reset")
