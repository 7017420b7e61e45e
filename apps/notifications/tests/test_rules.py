import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.notifications import rules


@pytest.mark.parametrize("url", ["/", "/lab/results/123", "/maintenance-schedule", "/a?q=1&r=%20#top", "/x:y/@z"])
def test_a_path_of_this_house_is_accepted(url: str) -> None:
    assert rules.leads_within(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "lab/results/123",
        "https://evil.example/",
        "javascript:alert(1)",
        "//evil.example",
        "/\\evil.example",
        "/a\\b",
        "///evil.example",
        "/a//b",
        "/\t/evil.example",
        "/a\r\nSet-Cookie: x=1",
        "/a\x00",
        "/a b",
        "/\u202eevil",
        "/\u2028",
        "/a\n",
        "/" + "a" * 500,
    ],
)
def test_what_leads_out_of_the_house_or_hides_where_it_leads_is_refused(url: str) -> None:
    assert not rules.leads_within(url)


@given(st.text(alphabet=st.sampled_from("/\\:.ab@?#% \t\n\r\x00\u2029\u00e9"), max_size=12))
def test_nothing_accepted_names_another_host(url: str) -> None:
    if rules.leads_within(url):
        assert url.startswith("/")
        assert not url.startswith(("//", "/\\"))
        assert url.isascii()
        assert url.isprintable()
