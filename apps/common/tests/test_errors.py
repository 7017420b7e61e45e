import pytest

from apps.common import errors
from apps.common.errors import CATALOGUE, HimsError, Invalid, RateLimited, Unauthenticated, Unavailable


def test_no_two_errors_share_a_code_or_a_status() -> None:
    assert len({kind.code for kind in CATALOGUE}) == len({kind.status for kind in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_status_leads_to_its_error(kind: type[HimsError]) -> None:
    assert errors.for_status(kind.status) is kind


def test_a_status_of_no_error_is_ours_or_theirs() -> None:
    assert errors.for_status(418) is Invalid
    assert errors.for_status(502) is HimsError


def test_the_first_of_several_errors_is_shown_on_top() -> None:
    error = Invalid(errors=[{"field": "mrn", "issue": "Taken."}, {"field": "gender", "issue": "Unknown."}])
    assert (error.details["field"], error.details["issue"], len(error.details["errors"])) == ("mrn", "Taken.", 2)


def test_a_single_error_is_also_the_list() -> None:
    assert Invalid(field="mrn", issue="Taken.").details["errors"] == [{"field": "mrn", "issue": "Taken."}]


def test_refusals_carry_what_http_asks_for() -> None:
    assert Unauthenticated().headers == {"WWW-Authenticate": "Bearer"}
    assert RateLimited(retry_after=7).headers == {"Retry-After": "7", "X-RateLimit-Retry-After": "7"}
    assert Unavailable().headers["Retry-After"] == "2"


def test_the_issue_is_the_given_one_else_the_message_of_the_error() -> None:
    assert Invalid("Malformed JSON", field="", issue="Line 1.").details["issue"] == "Line 1."
    assert Invalid("Malformed JSON").details["issue"] == "Malformed JSON"
    assert Invalid().details["issue"] == Invalid.message


class DoorStuck(HimsError):
    pass


class HTTPDoorStuck(DoorStuck):
    pass


class DoorAjar(DoorStuck):
    reason = "ajar"


class DoorWideOpen(DoorAjar):
    pass


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(DoorStuck, "door_stuck"), (DoorAjar, "ajar"), (DoorWideOpen, "door_wide_open"), (HTTPDoorStuck, "httpdoor_stuck")],
)
def test_the_reason_is_the_name_of_the_error_unless_it_states_one(kind: type[HimsError], reason: str) -> None:
    assert kind().details == {"reason": reason}


def test_a_message_and_details_belong_to_one_error_alone() -> None:
    error = DoorStuck("The left one.", door="left")
    assert (error.message, str(error), error.details["door"]) == ("The left one.", "The left one.", "left")
    assert (DoorStuck().message, DoorStuck().details) == (HimsError.message, {"reason": "door_stuck"})
    assert Unavailable(retry_after=10).headers["Retry-After"] == "10"
    assert Unavailable().headers["Retry-After"] == "2"
