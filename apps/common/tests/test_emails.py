"""Addresses outside ASCII."""

import pytest
from django.core.exceptions import ValidationError

from apps.common import emails


@pytest.mark.parametrize(
    "address",
    ["josé@example.com", "用户@例え.jp", "o'brien+x@example.co.uk", '"ab"@example.com', "user@localhost", "محمد@example.com"],
)
def test_an_address_may_have_letters_of_any_script(address: str) -> None:
    assert emails.EmailAddressField().clean(address, None) == address


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
        "a@exam\u200bple.com",
        "a@example.com\u200b",
        "a@\u202eexample.com",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        emails.validate_email(address)


@pytest.mark.parametrize("address", ["a@نرگس\u200cها.ir", "a@क्\u200dष.in"])
def test_a_domain_keeps_the_joiners_that_its_script_needs(address: str) -> None:
    assert emails.EmailAddressField().clean(address, None) == address


def test_a_form_and_a_column_take_the_same_addresses() -> None:
    box = emails.EmailAddressField(blank=True).formfield()
    assert isinstance(box, emails.EmailAddressFormField)
    assert (box.clean("jose\u0301@example.com"), box.clean(""), box.clean(None)) == ("josé@example.com", "", "")
    with pytest.raises(ValidationError, match=r"name@example\.com"):
        box.clean("a@exam\u200bple.com")
    with pytest.raises(ValidationError, match=r"name@example\.com"):
        emails.EmailAddressField().clean("a@exam\u200bple.com", None)


def test_one_address_is_stored_in_one_way() -> None:
    assert emails.normal("jose\u0301@example.com") == "josé@example.com"
    assert (emails.is_ascii("jose@exämple.com"), emails.is_ascii("josé@example.com")) == (True, False)
