"""Keeps retired words out of identifiers, docstrings, comments, messages and documents.

The glossary says which plain word replaces each of them.
"""

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

# Words that no identifier contains, as one of the words between its underscores or capitals.
RETIRED_PARTS = re.compile(
    r"anybody|beside|diaries|diary|knock|mortal|nobody|plugs?|said|somebody|takeover|tallies|tally|told|whoever|whom"
)
# Identifiers that are retired as a whole. Within a longer name these words are plain: `not_found`, `lock_held`.
RETIRED_NAMES = re.compile(
    r"Absence|Begun|BulkMove|Caution|Compiled|Down|Freed|Gate|MovedVisit|NotSame|Passage|Practice|SOMEBODY|SOMETIME|Someone|StandIn"
    r"|SuspectedPair|TakenConsultation|TakenVisit|Terms|Wish|acts|asked|blanks|forgive|found|held|kept_in_spite|noun|put_up|recognise"
    r"|refuse_by_hand|refuse_others|refuse_strangers|say_what_follows|standing|step_up|take_over|turn_pair|ways|write_down"
)
# Identifiers that keep a retired word, each with its reason.
EXCEPTIONS = {
    "asked": "the column of rest.KeptReply with the digest of the first request",
    "said_at": "a field of the reply of POST /patients/{id}/not-same",
    "said_by": "a field of the reply of POST /patients/{id}/not-same",
    "told_name": "a field of the API reference",
    "told_role": "a field of the API reference",
}
RETIRED_TEXT = re.compile(
    r"\b(anybody|beside|diar(?:y|ies)|held|he|him|himself|his|knocks?|mortal|nobody|of which|on record|parked|somebody|standing"
    r"|stands|takeover|taken over|takes over|tall(?:y|ies)|told|took over|trail|whoever|whom|(?:is|are) (?:kept|to be))\b",
    re.IGNORECASE,
)
# Plain uses of these words: clinical terms, the Unix account, an event's name, and locks.
PLAIN_TEXT = re.compile(
    r"(?:headache|sleep) diary|standing up|`nobody`|`trail\.verified`"
    r"|`(?:consultation)?\.held`|(?:lock|lock is|lock was) held|held lock",
    re.IGNORECASE,
)
PRONOUNS = {"anybody", "somebody"}  # alone in a string they are the place of a user's name on a page
ANSWERS = re.compile(r"Answers\b")  # "Answers the patients" as the first word of a docstring; "Returns the patients" is plain
DOCUMENTS = {".html", ".js", ".md", ".txt"}


def files() -> Iterator[Path]:
    """The code, documents, templates and scripts of the project, in order."""
    for folder in ("apps", "benchmarks", "docs", "hims", "static", "templates"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in DOCUMENTS | {".py"} and "migrations" not in path.parts and path != Path(__file__):
                yield path
    yield ROOT / "README.md"


def identifiers(source: str) -> Iterator[tuple[int, str]]:
    """Every name that Python code contains, with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            yield token.start[0], token.string


def is_retired(name: str) -> bool:
    parts = [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    retired = RETIRED_NAMES.fullmatch(name) or any(map(RETIRED_PARTS.fullmatch, parts))
    return bool(retired) and name not in EXCEPTIONS


def texts(source: str) -> Iterator[tuple[int, str]]:
    """The docstrings, the comments, the strings of at least three words and the pronouns that Python code contains, each with its
    line."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if len(node.value.split()) > 2 or node.value in PRONOUNS:
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def retired_words(text: str) -> list[str]:
    """The retired words that a text contains, apart from their plain uses."""
    words = [match.group() for match in RETIRED_TEXT.finditer(PLAIN_TEXT.sub("", text))]
    return words + (["Answers"] if ANSWERS.match(text) else [])


def test_no_identifier_contains_a_retired_word() -> None:
    retired = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in files()
        if path.suffix == ".py"
        for line, name in identifiers(path.read_text())
        if is_retired(name)
    ]
    assert not retired, "\n".join(retired)


def test_no_text_contains_a_retired_word() -> None:
    retired = [
        f"{path.relative_to(ROOT)}:{line} {', '.join(words)}"
        for path in files()
        for line, text in (texts(path.read_text()) if path.suffix == ".py" else enumerate(path.read_text().splitlines(), 1))
        if (words := retired_words(text))
    ]
    assert not retired, "\n".join(retired)


@pytest.mark.parametrize("name", ["told", "whom_it_concerns", "DiaryPage", "NOBODY", "Wish"])
def test_a_retired_identifier_is_seen(name: str) -> None:
    assert is_retired(name)


@pytest.mark.parametrize("name", ["not_found", "NotFound", "appointment", "untold", "is_held", "said_by"])
def test_a_plain_identifier_is_not_retired(name: str) -> None:
    assert not is_retired(name)


def test_retired_words_are_seen_in_docstrings_comments_and_messages() -> None:
    source = '"""Answers whoever asks."""\n# nobody knows\nMESSAGE = "It stands in the chart."\nKEY = "diary"\nWHO = "somebody"\n'
    assert [word for _, text in texts(source) for word in retired_words(text)] == [
        "whoever",
        "Answers",
        "stands",
        "somebody",
        "nobody",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "The receptionist checks the patient in. This history is theirs; outstanding orders stay.",
        "Keeps a headache diary; dizzy when standing up.",
        "Root runs the servers as `nobody`.",
        "The event `consultation.held` ends a held lock.",
    ],
)
def test_plain_text_has_no_retired_words(text: str) -> None:
    assert not retired_words(text)
