"""Keeps retired words out of the code: none in identifiers, and ever fewer in text.

The test compares identifiers with `RETIRED_PARTS` and `RETIRED_NAMES`, and counts `RETIRED_TEXT` in docstrings, comments,
messages and documents. Each area has a ceiling in `words_ceilings.json`, which must equal the count: the test fails if the count
rises, and if the count falls and the ceiling does not. `python -m hims.tests.test_words` writes the counts as the new ceilings
and refuses to raise one.
"""

import ast
import io
import json
import keyword
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CEILINGS = Path(__file__).with_name("words_ceilings.json")

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
ANSWERS = re.compile(r"Answers\b")  # "Answers the patients" as the first word of a docstring; "Returns the patients" is plain
DOCUMENTS = {".html", ".js", ".md", ".txt"}
OWN_FILES = (Path(__file__), CEILINGS)


def area(path: Path) -> str:
    """Where a word is counted: the app, its tests apart, or the folder at the root."""
    parts = path.relative_to(ROOT).parts
    name = parts[1] if parts[0] == "apps" else parts[0]
    return f"{name} tests" if "tests" in parts else name


def files() -> Iterator[Path]:
    """The code, documents, templates and scripts of the project, in order."""
    for folder in ("apps", "benchmarks", "docs", "hims", "static", "templates"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in DOCUMENTS | {".py"} and "migrations" not in path.parts and path not in OWN_FILES:
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


def texts(source: str) -> Iterator[str]:
    """The docstrings, the comments, and the strings of at least three words that Python code contains."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value.split()) > 2:
            yield node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def count(path: Path) -> int:
    """How often a file's text contains a retired word."""
    source = path.read_text()
    found_in = texts(source) if path.suffix == ".py" else (source,)
    return sum(retired_words(text) for text in found_in)


def retired_words(text: str) -> int:
    """How many retired words a text contains, apart from their plain uses."""
    return len(RETIRED_TEXT.findall(PLAIN_TEXT.sub("", text))) + bool(ANSWERS.match(text))


def counts() -> dict[str, dict[str, int]]:
    """The retired words of each area: `text`, and for tests `names` too, because their names are sentences."""
    text: Counter[str] = Counter()
    names: Counter[str] = Counter()
    for path in files():
        text[area(path)] += count(path)
        if path.suffix == ".py" and area(path).endswith("tests"):
            names[area(path)] += sum(is_retired(name) for _, name in identifiers(path.read_text()))
    return {"text": dict(sorted((+text).items())), "names in tests": dict(sorted((+names).items()))}


def test_no_identifier_contains_a_retired_word() -> None:
    retired = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in files()
        if path.suffix == ".py" and not area(path).endswith("tests")
        for line, name in identifiers(path.read_text())
        if is_retired(name)
    ]
    assert not retired, "\n".join(retired)


def test_text_contains_ever_fewer_retired_words() -> None:
    ceilings, now = json.loads(CEILINGS.read_text()), counts()
    for kind in now:
        risen = {
            name: (ceilings[kind].get(name, 0), number)
            for name, number in now[kind].items()
            if number > ceilings[kind].get(name, 0)
        }
        assert not risen, f"{kind}: more retired words than before (ceiling, count); rewrite them: {risen}"
    assert ceilings == now, "fewer retired words than the ceilings: run python -m hims.tests.test_words"


@pytest.mark.parametrize("name", ["told", "whom_it_concerns", "DiaryPage", "NOBODY", "Wish"])
def test_a_retired_identifier_is_seen(name: str) -> None:
    assert is_retired(name)


@pytest.mark.parametrize("name", ["not_found", "NotFound", "appointment", "untold", "is_held", "said_by"])
def test_a_plain_identifier_is_not_retired(name: str) -> None:
    assert not is_retired(name)


def test_retired_words_are_seen_in_docstrings_comments_and_messages() -> None:
    source = '"""Answers whoever asks."""\n# nobody knows\nMESSAGE = "It stands in the chart."\nKEY = "diary"\n'
    assert [*texts(source)] == ["Answers whoever asks.", "It stands in the chart.", "# nobody knows"]
    assert sum(retired_words(text) for text in texts(source)) == 4


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
    assert retired_words(text) == 0


if __name__ == "__main__":
    old, new = json.loads(CEILINGS.read_text()) if CEILINGS.exists() else {}, counts()
    if any(number > old[kind].get(name, 0) for kind in old for name, number in new[kind].items()):
        sys.exit("A count has risen. Rewrite the text; the ceilings only fall.")
    CEILINGS.write_text(json.dumps(new, indent=1) + "\n")
    print(CEILINGS.read_text())
