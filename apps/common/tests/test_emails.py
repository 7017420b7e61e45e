"""Addresses outside ASCII."""

import pytest
from django.core.exceptions import ValidationError

from apps.common import emails


@pytest.mark.parametrize(
    "address",
    ["josé@example.com", "用户@例え.jp", "o'brien+x@example.co.uk", '"ab"@example.com', "user@localhost", "محمد@example.com"],
)
def test_an_address_may_have_letters_of_any_script(address: str) -> None:
    emails.validate_email(address)


@pytest.mark.parametrize(
    "address",
    [
        "josé@",
        "josé.example.com",
        "jo\u200bsé@example.com",
        "jo\u202esé@example.com",
        "a\u00a0b@example.com",
        "josé..x@example.com",
        "é\n@example.com",
        "josé@exa mple.com",
        ".é@example.com",
        "a b@example.com",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        emails.validate_email(address)


def test_one_address_is_stored_in_one_way() -> None:
    assert emails.normal("jose\u0301@example.com") == "josé@example.com"
    assert (emails.is_ascii("jose@exämple.com"), emails.is_ascii("josé@example.com")) == (True, False)
