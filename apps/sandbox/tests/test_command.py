"""`manage.py sandbox`, as people and programs use it."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.sandbox.aliases import ALIASES
from apps.sandbox.staff import PASSWORD, STAFF

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("short_ward")]


def run(*words):
    out = StringIO()
    call_command("sandbox", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_seed_says_what_it_did_and_that_there_was_nothing_to_do():
    assert "Laid out 11 staff" in run("seed")
    assert run("seed").strip() == "The sample data stand already."


def test_reset_lays_out_anew():
    run("seed")
    assert "Laid out 11 staff" in run("reset")


def test_the_credentials_are_json_for_programs():
    run("seed")
    known = json.loads(run("credentials", "--json"))
    assert [one["username"] for one in known["staff"]] == [member.username for member in STAFF]
    assert {one["password"] for one in known["staff"]} == {PASSWORD}
    assert known["aliases"] == {name: str(found) for name, found in ALIASES.items()}
    assert known["patients"][0]["mrn"] == "MRN001"


def test_the_credentials_are_a_table_for_people():
    run("seed")
    assert "nurse.jones" in run("credentials")


def test_there_are_no_credentials_before_there_are_people():
    assert json.loads(run("credentials", "--json")) == {"staff": [], "patients": [], "aliases": {}}
    with pytest.raises(CommandError, match="sandbox seed"):
        run("credentials")


def test_a_clinic_is_refused_in_a_sentence(settings):
    settings.HIMS_ENV = "production"
    with pytest.raises(CommandError, match="not one"):
        run("reset")
