"""A section on the page of a patient or an appointment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Panel:
    """Lines with links (address, text), and further links (text, address)."""

    title: str
    lines: tuple[tuple[str, str], ...]
    empty: str
    row_links: tuple[tuple[str, str], ...] = ()
