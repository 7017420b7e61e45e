from apps.access.scopes import Scope


def test_a_scope_names_a_resource_and_what_is_done_with_it() -> None:
    assert {scope.value.partition(":")[2] for scope in Scope} == {"read", "write", "send", "manage"}
