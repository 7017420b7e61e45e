"""Finds the forms of a page that was rendered, and writes values into them. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

_OPENING = re.compile(r"<form\b[^>]*>", re.IGNORECASE)
_ACTION, _POST = re.compile(r"""\baction=["']([^"']*)["']"""), re.compile(r"""\bmethod=["']?post""", re.IGNORECASE)
_NOT_TYPED = frozenset(("hidden", "password", "file", "submit", "button", "reset", "image"))
_RESTORED_HIDDEN = frozenset(("version",))  # what the user saw: with it a colleague's later save is noticed
_NO_IDENTITY = frozenset(("csrfmiddlewaretoken", "version", "searched", "next", "new_id", "from", "seen"))
Fields = Mapping[str, Sequence[str]]


@dataclass
class Control:
    """An input of a form: `start` and `end` of what is replaced in the page, and the value that it has there."""

    kind: str
    name: str
    value: str
    start: int
    end: int
    tag: str = ""
    attributes: list[tuple[str, str | None]] = field(default_factory=list)
    is_chosen: bool = False


@dataclass
class PageForm:
    """A form that posts: where it begins, where it sends to, its inputs."""

    start: int
    path: str
    controls: list[Control] = field(default_factory=list)
    closed: list[Control] = field(default_factory=list)  # the closed <details> around it, the outermost first

    @property
    def hidden(self) -> dict[str, list[str]]:
        """Returns the hidden fields that tell this form from others with the same address."""
        hidden: dict[str, list[str]] = {}
        for one in self.controls:
            if one.kind == "hidden" and one.name not in _NO_IDENTITY:
                hidden.setdefault(one.name, []).append(one.value)
        return hidden

    @property
    def typed(self) -> list[Control]:
        """Returns the inputs into which a user types or in which a user chooses."""
        return [one for one in self.controls if one.kind not in _NOT_TYPED and one.name]

    def differs_from(self, fields: Fields) -> bool:
        """Returns whether the values are others than those in the page, or for inputs that the page no longer has."""
        return any(_new_value(one, fields) is not None for one in self.typed) or bool(self.left_over(fields))

    def left_over(self, fields: Fields) -> dict[str, str]:
        """Returns the values for which the form has no input any more."""
        names = {one.name for one in self.controls}
        return {name: ", ".join(values) for name, values in fields.items() if name not in names and any(values)}


def paths(html: str, page: str) -> list[str]:
    """Returns where the posting forms of a page send to, in their order. Cheap: it reads only the opening tags."""
    return [_path(tag, page) for tag in _OPENING.findall(html) if _POST.search(tag)]


def forms(html: str, page: str) -> list[PageForm]:
    """Returns the posting forms of a page with their inputs."""
    reader = _Reader(html, page)
    reader.feed(html)
    reader.close()
    return reader.forms


def fill(html: str, form: PageForm, fields: Fields, notice: str, *, opens: bool = False) -> str:
    """Returns the page with the values in the form, and the notice before it, where it is seen: before what hides the form.
    `opens` shows the form as well."""
    start = form.closed[0].start if form.closed else form.start
    edits = [(start, start, notice)]
    if opens:
        edits += [(one.start, one.end, _tag(one, "open", "")) for one in form.closed]
    for one in form.controls:
        if one.kind in _NOT_TYPED and one.name not in _RESTORED_HIDDEN:
            continue
        value = _new_value(one, fields)
        if value is not None:
            edits.append((one.start, one.end, value))
    for start, end, text in sorted(edits, reverse=True):
        html = html[:start] + text + html[end:]
    return html


def _path(tag: str, page: str) -> str:
    action = _ACTION.search(tag)
    parts = urlsplit(urljoin(page, unescape(action[1]) if action else ""))
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _new_value(one: Control, fields: Fields) -> str | None:
    """Returns what replaces the input in the page; None if it stays."""
    values = fields.get(one.name)
    if one.kind in ("checkbox", "radio", "option"):
        is_chosen = one.value in (values or ())
        if is_chosen == one.is_chosen or (values is None and one.kind != "checkbox"):
            return None
        mark = "selected" if one.kind == "option" else "checked"
        return _tag(one, mark, "" if is_chosen else None)
    if not values or values[0].replace("\r\n", "\n") == one.value.replace("\r\n", "\n"):
        return None
    return escape(values[0]) if one.kind == "textarea" else _tag(one, "value", values[0])


def _tag(one: Control, name: str, value: str | None) -> str:
    """Returns the opening tag with another value of one attribute; None removes it."""
    attributes = [pair for pair in one.attributes if pair[0] != name] + ([] if value is None else [(name, value)])
    return f"<{one.tag} " + " ".join(f'{key}="{escape(text or "")}"' for key, text in attributes) + ">"


class _Reader(HTMLParser):
    """Reads the forms and where their inputs are in the text of the page."""

    def __init__(self, html: str, page: str) -> None:
        super().__init__(convert_charrefs=False)
        self.page, self.forms = page, list[PageForm]()
        self._form: PageForm | None = None
        self._select = ""
        self._textarea: Control | None = None
        self._details: list[Control] = []  # those around this place in the page
        self._lines = [0]
        for line in html.split("\n"):  # as the parser counts them: a form feed in a note begins no line
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._html = html

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text, start, known = self.get_starttag_text() or "", self._offset(), dict(attrs)
        if tag == "details":
            self._details.append(Control("details", "", "", start, start + len(text), tag, attrs, "open" in known))
        if tag == "form":
            closed = [one for one in self._details if not one.is_chosen]
            self._form = PageForm(start, _path(text, self.page), closed=closed) if _POST.search(text) else None
            self.forms += [self._form] if self._form else []
        if self._form is None:
            return
        name, end = known.get("name") or "", start + len(text)
        if tag == "input":
            kind = known.get("type") or "text"
            value = known.get("value", "on" if kind in ("checkbox", "radio") else "") or ""
            self._form.controls.append(Control(kind, name, value, start, end, tag, attrs, "checked" in known))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            value = known.get("value") or ""
            self._form.controls.append(Control("option", self._select, value, start, end, tag, attrs, "selected" in known))
        elif tag == "textarea":
            self._textarea = Control("textarea", name, "", end, end)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "details" and self._details:
            self._details.pop()
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._textarea is not None and self._form is not None:
            box, self._textarea = self._textarea, None
            box.end = self._offset()
            box.value = unescape(self._html[box.start : box.end]).removeprefix("\r\n").removeprefix("\n")
            self._form.controls.append(box)
