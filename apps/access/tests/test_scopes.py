from apps.access.scopes import Scope


def test_a_scope_names_a_resource_and_what_is_done_with_it() -> None:
    assert {scope.value.partition(":")[2] for scope in Scope} == {"read", "write", "send", "manage"}


def test_the_scopes_are_those_of_the_contract_and_a_write_is_no_read() -> None:
    assert Scope("patients:read") is Scope.PATIENTS_READ
    resources = {scope.value.partition(":")[0] for scope in Scope}
    assert resources == {
        "analytics",
        "appointments",
        "audit",
        "billing",
        "consultations",
        "history",
        "lab",
        "notifications",
        "patients",
        "pharmacy",
        "prescriptions",
        "webhooks",
    }
    writable = {scope.value.partition(":")[0] for scope in Scope if scope.value.endswith(":write")}
    assert writable == resources - {"analytics", "audit", "notifications", "webhooks"}
    assert all(f"{resource}:read" in set(Scope) for resource in writable)
