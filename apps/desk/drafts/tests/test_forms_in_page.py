"""Values are written into the forms of a page that was rendered. Without a database."""

import pytest

from apps.desk.drafts import forms_in_page

PAGE = """<main><form method="get" action="/find"><input name="q"></form>
<form method="post" class="a"><input type="hidden" name="csrfmiddlewaretoken" value="x">
<input type="hidden" name="version" value="3">
<input type="hidden" name="row" value="5"><input name="who" value="A &amp; B"><textarea name="note" rows="2">
Old &lt;text&gt;</textarea><input type="checkbox" name="asked_again"><input type="checkbox" name="seen" checked>
<select name="kind"><option value="">-</option><option value="a" selected>A</option><option value="b">B</option></select></form>
<form action="/other/?x=1&amp;y=2" method="post"><input name="who"></form></main>"""


def filled(**fields: str) -> str:
    form, *_ = forms_in_page.forms(PAGE, "/here/?p=1")
    return forms_in_page.fill(PAGE, form, {name: [value] for name, value in fields.items()}, "<b>notice</b>")


def test_the_forms_that_post_are_found_with_their_addresses() -> None:
    assert forms_in_page.paths(PAGE, "/here/?p=1") == ["/here/?p=1", "/other/?x=1&y=2"]
    one, two = forms_in_page.forms(PAGE, "/here/?p=1")
    assert (one.path, two.path, one.hidden) == ("/here/?p=1", "/other/?x=1&y=2", {"row": ["5"]})
    assert {box.name for box in one.typed} == {"who", "note", "asked_again", "seen", "kind"}


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("who", '"><script>', '<input name="who" value="&quot;&gt;&lt;script&gt;">'),
        ("note", "New </textarea><script>", '<textarea name="note" rows="2">New &lt;/textarea&gt;&lt;script&gt;</textarea>'),
        ("asked_again", "on", '<input type="checkbox" name="asked_again" checked="">'),
        ("kind", "b", '<option value="a">A</option><option value="b" selected="">'),
        ("version", "2", '<input type="hidden" name="version" value="2">'),
    ],
)
def test_a_value_is_escaped_and_placed_in_its_input(name: str, value: str, part: str) -> None:
    assert part in filled(**{name: value})


def test_what_was_not_typed_stays_as_the_page_has_it() -> None:
    page = filled(seen="on", row="6", csrfmiddlewaretoken="y")
    assert page == PAGE.replace('<form method="post" class="a">', '<b>notice</b><form method="post" class="a">')
    assert '<input type="checkbox" name="seen">' in filled(who="C")  # an unticked box is not sent


def test_a_draft_that_is_what_the_page_shows_is_no_draft() -> None:
    form, *_ = forms_in_page.forms(PAGE, "/here/")
    same = {"who": ["A & B"], "note": ["Old <text>"], "seen": ["on"], "kind": ["a"], "version": ["1"]}
    assert not form.differs_from(same)
    assert form.differs_from(same | {"note": ["Old"]})
    assert form.differs_from(same | {"gone": ["x"]})
    assert form.left_over(same | {"gone": ["x"], "empty": [""]}) == {"gone": "x"}


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\r"])
def test_a_page_with_a_mark_that_only_python_takes_for_a_new_line_is_filled_in_the_right_place(mark: str) -> None:
    page = f"<p>A note{mark}of two{mark}lines</p>{PAGE}"
    form, *_ = forms_in_page.forms(page, "/here/?p=1")
    shown = forms_in_page.fill(page, form, {"who": ["Ann"]}, "")
    assert shown == page.replace('name="who" value="A &amp; B"', 'name="who" value="Ann"').replace(" checked>", ">")


def test_the_notice_is_before_what_hides_the_form_and_a_filled_form_is_open() -> None:
    form_text = '<form method="post"><input name="who"></form>'
    page = f'<details open><p>A</p><details class="menu"><summary>B</summary><details>{form_text}</details></details></details>'
    form, *_ = forms_in_page.forms(page, "/here/")
    shown = forms_in_page.fill(page, form, {}, "<b>notice</b>")
    assert shown == page.replace('<details class="menu">', '<b>notice</b><details class="menu">')
    shown = forms_in_page.fill(page, form, {}, "<b>notice</b>", opens=True)
    assert '<p>A</p><b>notice</b><details class="menu" open=""><summary>B</summary><details open=""><form' in shown
    after, *_ = forms_in_page.forms(f"<details><p>A</p></details>{form_text}", "/here/")
    assert not after.closed
