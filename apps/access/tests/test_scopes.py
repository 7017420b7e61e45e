from apps.access import scopes
from apps.access.permissions import Permission as P
from apps.access.scopes import Scope


def test_every_right_says_what_a_key_needs_for_it() -> None:
    silent = sorted(set(P) - set(scopes.SCOPE_OF))
    assert not silent, f"say in apps/access/scopes.py which scope a key needs, or None where keys never may: {silent}"


def test_what_nobody_has_said_keys_may_not() -> None:
    assert scopes.of("a.right.of.tomorrow") is None  # type: ignore[arg-type]


def test_people_sessions_and_keys_are_never_a_keys_matter() -> None:
    for right in (P.OWN_SESSION, P.KEY_KEEP, P.KEY_KEEP_ALL, P.STAFF_VIEW, P.STAFF_MANAGE, P.PATIENT_MERGE):
        assert scopes.of(right) is None


def test_a_scope_names_a_resource_and_what_is_done_with_it() -> None:
    assert {scope.value.partition(":")[2] for scope in Scope} == {"read", "write", "send", "manage"}
