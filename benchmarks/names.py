"""Names for a million people: frequent ones by hand, rare ones from syllables, drawn with the long tail that real names have."""

# ruff: noqa: S311 (nothing here is secret, and all of it must come out the same every time)

import itertools
import random


def _words(text: str) -> list[str]:
    return text.split()


GIVEN = _words(
    "James Mary John Patricia Robert Jennifer Michael Linda William Elizabeth David Barbara Richard Susan Joseph Jessica "
    "Thomas Sarah Charles Karen Christopher Lisa Daniel Nancy Matthew Betty Anthony Margaret Mark Sandra Donald Ashley "
    "Steven Kimberly Paul Emily Andrew Donna Joshua Michelle José María Juan Carmen Luis Sofía Carlos Lucía Jesús Inés "
    "Wei Mei Li Hana Yuki Priya Arjun Fatima Mohammed Ahmed Aisha Omar Nguyen Linh Olga Ivan Søren Åsa Björn Zoë Chloé "
    "François Renée Jürgen Käthe Łukasz Zofia Siân Dmitri Anaïs Noémie Raúl Ángel Begoña Şule Çağla İpek Žofie Jiří "
    "Mary-Jane Jean-Luc Anne-Marie Ana-María Ji-woo "
)
FAMILY = _words(
    "Smith Johnson Williams Brown Jones García Miller Davis Rodríguez Martínez Hernández López González Wilson Anderson "
    "Thomas Taylor Moore Jackson Martin Lee Pérez Thompson White Harris Sánchez Clark Ramírez Lewis Robinson Walker "
    "Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell "
    "Carter Roberts Doe Kim Park Chen Wang Patel Singh Khan Ali Tran Pham Müller Schröder Weiß Østergård Åkesson Björk "
    "Núñez Peña Ibáñez Ñíguez Gonçalves Araújo Dvořák Nováková Šimek Kowalczyk Żuk Łapiński Çelik Öztürk Yılmaz Șerban "
    "O'Brien O'Connor D'Angelo N'Diaye Saint-Clair Lloyd-Jones "
)
GIVEN_COUNT, FAMILY_COUNT = 6_000, 16_500
FLATNESS, STEEPNESS = 8.0, 0.95  # of the drawing: weight = 1 / (rank + flatness) ** steepness

_ONSET = _words("b br c ch d dr f g gr h j k kr l m n p pr r s sh st t tr v w y z")
_VOWEL = _words("a e i o u ai ea ia ie ou é á ö")
_VOWEL_WEIGHT = [20, 20, 16, 16, 10, 4, 4, 3, 3, 2, 1, 1, 1]
_END = ["", "n", "r", "s", "l", "m", "t", "ck", "nd", "rt", "ski", "son", "ez", "ova", "man"]


def given() -> list[str]:
    """First names, the frequent ones first."""
    return _grow(GIVEN, GIVEN_COUNT, random.Random("given"))


def family() -> list[str]:
    """Last names, the frequent ones first."""
    return _grow(FAMILY, FAMILY_COUNT, random.Random("family"))


def weights(count: int) -> list[float]:
    """Cumulative weights of so many ranks, for `random.choices`."""
    return list(itertools.accumulate(1 / (rank + FLATNESS) ** STEEPNESS for rank in range(count)))


def _grow(head: list[str], count: int, dice: random.Random) -> list[str]:
    names = dict.fromkeys(head)
    while len(names) < count:
        names[_made_up(dice)] = None
    return list(names)


def _made_up(dice: random.Random) -> str:
    syllables = dice.choices((2, 3), (3, 2))[0]
    parts = [dice.choice(_ONSET) + dice.choices(_VOWEL, _VOWEL_WEIGHT)[0] for _ in range(syllables)]
    return ("".join(parts) + dice.choice(_END)).capitalize()
