"""The ICD-10-CM release that the package simple-icd-10-cm carries, read from it as plain entries.

Reading loads that package, which costs two seconds and 190 MB for as long as the process lives: only `load_icd10` reads.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

_PACKAGE = "simple-icd-10-cm"
_RELEASES = {"1.5.0": ("2026-04", date(2026, 4, 1))}  # version of the package: name of the release, its first day
_ABOVE_CODES = ("chapter", "section")


class UnknownPackage(Exception):
    """The installed version of the package is not one we know."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release: what it is called, its first date of service, where it was read."""

    name: str
    effective_from: date
    source: str


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """A code of a release, as the columns of the table want it."""

    code: str
    display: str
    billable: bool
    parent: str
    block: str
    chapter: int
    terms: tuple[str, ...] = ()
    """What the Tabular List includes under the code, like "Stone in kidney" under N20.0."""


def installed_release() -> Release:
    """Which release the installed package carries; does not load it. Raises UnknownPackage."""
    version = metadata.version(_PACKAGE)
    if version not in _RELEASES:
        raise UnknownPackage(
            f"{_PACKAGE} {version} is installed, and its ICD-10-CM release is unknown. Install requirements.txt, "
            "or add the release to apps/terminology/icd10/release_files.py."
        )
    name, first_day = _RELEASES[version]
    return Release(name, first_day, f"{_PACKAGE} {version} (data: CDC/NCHS)")


def read(tabular: Path | None = None, codes: Path | None = None) -> list[CodeEntry]:
    """Every code of the release in the package, or of the CDC's two files: chapters and blocks are no codes and stay out."""
    package: Any = import_module("simple_icd_10_cm.simple_icd_10_cm")
    if tabular and codes:
        package.change_version(all_codes_file_path=str(codes), classification_data_file_path=str(tabular))
    return [entry for chapter in package._chapter_list for entry in _entries(chapter, chapter=int(chapter.name))]


def _entries(node: Any, *, chapter: int, block: str = "") -> Iterator[CodeEntry]:
    """Yields the node, if it is a code, and the codes below it. A category may have the name of its block (B20), hence by
    type."""
    if node.type == "section":
        block = node.name
    elif node.type != "chapter":
        parent = "" if node.parent.type in _ABOVE_CODES else node.parent.name
        terms = tuple(" ".join(term.split()) for term in (*node.includes, *node.inclusion_term))
        yield CodeEntry(node.name, " ".join(node.description.split()), not node.children, parent, block, chapter, terms)
    for child in node.children:
        yield from _entries(child, chapter=chapter, block=block)
