"""The second step at the pages, and one's own second factor there."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts import services
from apps.accounts.models import TotpDevice, User
from apps.accounts.selectors import has_second_factor
from apps.accounts.tests.authenticator import code, enable_totp
from apps.accounts.tests.factories import PASSWORD, api_client, browser, hire

pytestmark = pytest.mark.django_db
LOGIN, CODE, ENROL, OWN = "/admin/login/", "/admin/login/code/", "/admin/login/second-factor/", "/admin/second-factor/"


@pytest.fixture(autouse=True)
def still_clock(time_machine: Any) -> None:
    """A code is made and used within one half minute."""
    time_machine.move_to(timezone.now(), tick=False)


def first_step(user: User, onward: str = "/admin/") -> tuple[Client, Any]:
    client = Client()
    return client, client.post(f"{LOGIN}?next={onward}", {"username": user.username, "password": PASSWORD})


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def shown_seed(page: Any) -> str:
    return re.search(r'class="key ltr">([A-Z2-7]+)<', page.content.decode())[1]  # type: ignore[index]


def test_a_browser_is_not_signed_in_before_the_code_was_accepted() -> None:
    client, answer = first_step(enable_totp(hire()), "/admin/accounts/doctor/")
    assert answer.headers["Location"] == f"{CODE}?next=%2Fadmin%2Faccounts%2Fdoctor%2F"
    assert not is_in(client)
    assert "_auth_user_id" not in client.session
    assert client.get(OWN).status_code == 302
    assert "wrong or was used" in client.post(CODE, {"code": "000000"}).content.decode()
    assert not is_in(client)
    done = client.post(answer.headers["Location"], {"code": code()})
    assert (done.status_code, done.headers["Location"]) == (302, "/admin/accounts/doctor/")
    assert is_in(client)


def test_a_code_used_over_the_api_does_not_count_at_the_page() -> None:
    user = enable_totp(hire())
    used = code()
    body = {"username": user.username, "password": PASSWORD, "mfa_code": used}
    assert api_client().post("/auth/login", body).status_code == 200
    client, _ = first_step(user)
    assert client.post(CODE, {"code": used}).status_code == 200
    assert not is_in(client)


def test_the_second_step_needs_the_first() -> None:
    enable_totp(hire())
    client = Client()
    for page in (CODE, ENROL):
        assert client.get(page).headers["Location"].startswith(LOGIN)
        assert client.post(page, {"code": code()}).headers["Location"].startswith(LOGIN)


def test_the_second_step_does_not_wait_for_ever_nor_survive_a_new_password(time_machine: Any) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    user = enable_totp(hire())
    client, _ = first_step(user)
    late, _ = first_step(user)
    services.set_password(by=user, user_id=user.pk, password="three blue herons in the rain")
    assert client.post(CODE, {"code": code()}).headers["Location"].startswith(LOGIN)
    user.refresh_from_db()
    time_machine.shift(timedelta(minutes=11))
    assert late.post(CODE, {"code": code()}).headers["Location"].startswith(LOGIN)


def test_codes_at_the_page_have_five_tries_a_minute() -> None:
    client, _ = first_step(enable_totp(hire()))
    statuses = [client.post(CODE, {"code": "000000"}).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


def test_sign_in_never_leads_to_another_site() -> None:
    client, answer = first_step(enable_totp(hire()), "https://evil.example/")
    assert "evil" not in answer.headers["Location"]
    assert client.post(f"{CODE}?next=//evil.example/", {"code": code()}).headers["Location"] == "/admin/"


def test_a_role_that_needs_a_second_factor_sets_it_up_before_it_gets_in(settings: Any) -> None:
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset({"nurse"})
    user = hire()
    client, answer = first_step(user)
    assert answer.headers["Location"].startswith(ENROL)
    page = client.get(ENROL)
    assert "<svg" in page.content.decode()
    assert not is_in(client)
    seed = shown_seed(page)
    assert shown_seed(client.post(ENROL, {"code": code(steps=7)})) == seed  # shown again, the same
    done = client.post(ENROL, {"code": code(seed)})
    assert len(set(re.findall(r"<code>([A-Z2-7-]{19})</code>", done.content.decode()))) == 10
    assert is_in(client)
    _, answer = first_step(user)
    assert answer.headers["Location"].startswith(CODE)


def test_setting_up_renewing_and_removing_ones_own_second_factor() -> None:
    user = hire()
    client, other, api = browser(user), browser(user), api_client(user)
    assert "wrong" in client.post(OWN, {"act": "begin", "password": "wrong"}).content.decode()
    assert not TotpDevice.objects.exists()
    seed = shown_seed(client.post(OWN, {"act": "begin", "password": PASSWORD}))
    wrong = client.post(OWN, {"act": "confirm", "code": code(steps=9)}).content.decode()
    assert "wrong or was used" in wrong
    assert seed not in wrong
    assert "Your recovery codes" in client.post(OWN, {"act": "confirm", "code": code(seed, steps=-1)}).content.decode()
    assert (is_in(client), is_in(other), api.get("/auth/me").status_code) == (True, False, 401)
    assert has_second_factor(user.pk)
    assert "This field is required" in client.post(OWN, {"act": "disable", "password": PASSWORD}).content.decode()
    renewed = client.post(OWN, {"act": "codes", "password": PASSWORD, "code": code(seed)}).content.decode()
    assert "Your recovery codes" in renewed
    gone = client.post(OWN, {"act": "disable", "password": PASSWORD, "code": code(seed, steps=1)})
    assert gone.status_code == 302
    assert is_in(client)
    assert not has_second_factor(user.pk)


def test_removing_it_where_the_role_needs_one_signs_out(settings: Any) -> None:
    user = enable_totp(hire())
    client, _ = first_step(user)
    client.post(CODE, {"code": code(steps=-1)})
    settings.HIMS_MFA_REQUIRED_ROLES = frozenset({"nurse"})
    client.post(OWN, {"act": "disable", "password": PASSWORD, "code": code()})
    assert not is_in(client)


def test_an_administrator_resets_somebodys_second_factor_but_not_the_own(staff: dict[str, User]) -> None:
    nurse = enable_totp(staff["nurse"])
    client = browser(staff["admin"])
    address = reverse("admin:accounts_user_reset_mfa", args=[nurse.pk])
    assert client.post(address).status_code == 302
    assert not has_second_factor(nurse.pk)
    assert "No second factor is set up" in client.post(address).content.decode()
    own = reverse("admin:accounts_user_reset_mfa", args=[staff["admin"].pk])
    assert "your account page" in client.post(own).content.decode()


def test_a_wrong_current_password_at_the_page_is_refused_at_its_field_and_counted() -> None:
    client = browser(hire())
    new = "three blue herons in the rain"
    answers = {"old_password": "wrong", "new_password1": new, "new_password2": new}
    pages = [client.post(reverse("admin:password_change"), answers) for _ in range(6)]
    assert [page.context["form"].errors["old_password"] for page in pages[:5]] == [["The password is wrong."]] * 5
    assert "Too many" in str(pages[5].context["form"].errors)
