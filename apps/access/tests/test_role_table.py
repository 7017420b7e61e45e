"""How a contract's sample rows become addresses."""

from apps.access.tests.role_table import Samples

ROWS = Samples(
    ids={"/patients/": 1, "/patients/merges/": 2, "/patients/{id}/restricted": 3, "{entry}": 4},
    bodies={"POST /patients": {"first_name": "Eve"}},
    queries={"GET /patients/{id}/merge-preview": "?into=5"},
)


def test_an_operation_is_about_the_row_of_the_longest_beginning() -> None:
    assert ROWS.address("GET /patients/{id}") == "/patients/1"
    assert ROWS.address("GET /patients/merges/{id}") == "/patients/merges/2"
    assert ROWS.address("PUT /patients/{id}/restricted") == "/patients/3/restricted"
    assert ROWS.address("GET /users/{id}") == "/users/{id}"


def test_other_placeholders_and_the_query_are_filled_in() -> None:
    assert ROWS.address("GET /patients/{id}/medical-history/{entry}") == "/patients/1/medical-history/4"
    assert ROWS.address("GET /patients/{id}/merge-preview") == "/patients/1/merge-preview?into=5"


def test_a_write_without_a_body_is_not_known() -> None:
    assert ROWS.knows("GET /users")
    assert ROWS.knows("POST /patients")
    assert not ROWS.knows("POST /users")
