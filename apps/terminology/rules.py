"""How an ICD-10-CM code is written, and by which words it is found. Pure."""

import re
from functools import lru_cache

from anyascii import anyascii

QUERY_MAX = 100
_CODE = re.compile(r"[A-Z][0-9A-Z]{2}\.?[0-9A-Z]{0,4}")
_BEGINNING = re.compile(r"[A-Z]([0-9A-Z]{1,2}|[0-9A-Z]{2}\.?[0-9A-Z]{0,4})?")
_WORD = re.compile(r"[0-9a-z]+")
# British spellings are read as the American ones of ICD-10-CM: oedema, anaemia, tumour, sulphur, paralyse, fibre.
_SPELLINGS = (
    (re.compile(r"ae|oe"), "e"),
    (re.compile(r"our(?=s?$|ed$|ing$|al$)"), "or"),
    (re.compile(r"sulph"), "sulf"),
    (re.compile(r"is(?=ation|ed$|ing$)"), "iz"),
    (re.compile(r"ys(?=e$|ed$|ing$)"), "yz"),
    (re.compile(r"(?<=[a-z]{2}[bt])re$"), "er"),
)
_APOSTROPHES = re.compile(r"['’ʼ`]")


def dotted(text: str) -> str:
    """The code as the table has it: in capitals, its dot behind the third letter (`e119` is `E11.9`). What is no code comes back
    in capitals, and is in no table.
    """
    bare = text.strip().upper()
    if not text.isascii() or not _CODE.fullmatch(bare):  # capitals make an I of the Turkish ı
        return bare
    rest = bare[3:].removeprefix(".")
    return f"{bare[:3]}.{rest}" if rest else bare[:3]


def code_prefix(text: str) -> str:
    """The beginning of a code that the text may be, with its dot; empty where it cannot be one."""
    bare = text.strip().upper()
    if not bare.isascii() or not _BEGINNING.fullmatch(bare):
        return ""
    return dotted(bare) if len(bare) > 2 else bare


def words(display: str) -> list[str]:
    """The words of a display, each once: small letters without accents, `Crohn's` as `crohns`, `age-related` as two.

    Both what is stored and what is sought goes through here, so British and American spellings meet in one form.
    """
    return sorted({_one_spelling(word) for word in _WORD.findall(_APOSTROPHES.sub("", anyascii(display).lower()))})


@lru_cache(maxsize=2**15)
def _one_spelling(word: str) -> str:
    """Returns the American spelling. Cached: a release has a million words, 12,000 of them different."""
    if not word.isalpha():
        return word
    for british, american in _SPELLINGS:
        word = british.sub(american, word)
    return word


def search_words(text: str) -> list[str]:
    """What a search asks for, each the beginning of a word or of a code (without its dot). Empty where nothing is asked."""
    result: set[str] = set()
    for part in text.split():
        code = code_prefix(part)
        result |= {code.replace(".", "").lower()} if code and "." in part else {*words(part)}
    return sorted(result)
