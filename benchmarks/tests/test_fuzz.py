"""The fuzzing of docs/fuzzing.md uses accounts and passwords of the sandbox."""

import pytest

from apps.accounts.api import examples
from apps.sandbox.samples.staff import PASSWORD, STAFF
from benchmarks.drills import system
from benchmarks.fuzz import __main__ as fuzz


def test_each_role_is_fuzzed_with_an_account_of_that_role() -> None:
    roles = {member.username: member.role for member in STAFF}
    assert {role: roles[username] for role, username in fuzz.ACCOUNTS.items()} == {role: role for role in fuzz.ACCOUNTS}
    assert system.PASSWORD == PASSWORD


def test_the_hooks_know_the_password_that_the_example_of_a_change_sets() -> None:
    new_password = dict(examples.CHANGE.request or {})["new_password"]
    assert f'"{new_password}"' in (fuzz.HERE / "hooks.py").read_text()


def test_an_unknown_role_is_refused_before_anything_starts() -> None:
    with pytest.raises(SystemExit):
        fuzz.main(["--only", "janitor"])
