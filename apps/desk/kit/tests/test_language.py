"""The language of the pages: chosen by the user, kept by the browser, never that of the API."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser

pytestmark = pytest.mark.django_db

HOME = "/admin/"


def choose(client: Client, code: str, back: str = HOME) -> str:
    return client.post(reverse("admin:language"), {"language": code, "next": back}).headers["Location"]


def test_pages_speak_english_until_another_language_is_chosen(staff: dict[str, User]) -> None:
    client = browser(staff["receptionist"])
    page = client.get(HOME, HTTP_ACCEPT_LANGUAGE="es").content.decode()
    assert '<html lang="en" dir="ltr">' in page
    assert choose(client, "es", reverse("admin:queue")) == reverse("admin:queue")
    page = client.get(HOME).content.decode()
    assert '<html lang="es" dir="ltr">' in page
    assert "<span>Lista de espera</span>" in page


def test_arabic_pages_run_from_right_to_left(staff: dict[str, User]) -> None:
    client = browser(staff["nurse"])
    choose(client, "ar")
    page = client.get(reverse("admin:queue")).content.decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert "<span>قائمة الانتظار</span>" in page


def test_the_choice_outlasts_the_session_and_the_sign_in_page_follows_it(staff: dict[str, User]) -> None:
    client = browser(staff["nurse"])
    choose(client, "es")
    client.post(reverse("admin:logout"))
    assert "Iniciar sesión" in client.get(reverse("admin:login")).content.decode()


def test_an_unknown_language_and_a_foreign_address_change_nothing(staff: dict[str, User]) -> None:
    client = browser(staff["nurse"])
    assert choose(client, "xx", "https://elsewhere.example/") == HOME
    assert settings.LANGUAGE_COOKIE_NAME not in client.cookies
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "../etc"
    assert '<html lang="en"' in client.get(HOME).content.decode()


def test_the_other_languages_are_offered_in_their_own_words(staff: dict[str, User]) -> None:
    client = browser(staff["nurse"])
    choose(client, "es")
    page = client.get(HOME).content.decode()
    assert 'lang="en"><svg' in page
    assert "<bdi>English</bdi>" in page
    assert "<bdi>العربية</bdi>" in page
    assert "<bdi>Español</bdi>" not in page


def test_the_api_stays_english(staff: dict[str, User]) -> None:
    client = api_client(staff["nurse"])
    client.client.cookies[settings.LANGUAGE_COOKIE_NAME] = "es"
    answer = client.post("/patients", {}, HTTP_ACCEPT_LANGUAGE="es")
    assert answer.status_code == 400
    assert "required" in answer.content.decode()
