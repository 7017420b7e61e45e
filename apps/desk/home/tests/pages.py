"""Reads home pages in tests."""

import re
from html import unescape
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from apps.patients.models import Patient
from apps.patients.tests.factories import register_patient

HOME = "/admin/"


def ann(last_name: str) -> Patient:
    return register_patient("Ann", last_name)


def words(html: str) -> str:
    """Returns the text of a piece of a page; its elements are separate words, except marks around a name."""
    return " ".join(unescape(strip_tags(re.sub(r"<(?!/?bdi|/?b>)", " <", html))).split())


def text_of(client: Client, address: str = HOME) -> str:
    """Returns the page between the menu and the footer."""
    response: Any = client.get(address)
    assert response.status_code == 200
    return str(response.content.decode()).partition('<main id="content-start"')[2].partition("</main>")[0]


def tiles(html: str) -> dict[str, str]:
    """Returns the text of each tile by its title."""
    pairs = re.findall(r'<li class="tile.*?<a href="[^"]*">(.*?)</a></h2>(.*?)</li>', html, re.DOTALL)
    return {words(title): words(rest) for title, rest in pairs}


def rows(html: str) -> list[list[str]]:
    """Returns the cells of the table, row by row."""
    body = re.search(r"<tbody>.*</tbody>", html, re.DOTALL)
    lines = re.findall(r"<tr.*?</tr>", body.group() if body else "", re.DOTALL)
    return [[words(cell) for cell in re.split(r"<t[hd][^>]*>", line)[1:]] for line in lines]


def section(html: str, name: str) -> str:
    """Returns the text of the section with this id of its heading."""
    match = re.search(rf'<section class="[^"]*" aria-labelledby="{name}">(.*?)</section>', html, re.DOTALL)
    return words(match.group(1)) if match else ""


def statements(client: Client, address: str = HOME) -> int:
    """Returns how many statements the page needs."""
    with CaptureQueriesContext(connection) as log:
        assert client.get(address).status_code == 200
    return len(log)
