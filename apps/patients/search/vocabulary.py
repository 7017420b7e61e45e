"""What is known of all words together: the names with a similar spelling or sound, and which beginnings are common."""

from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from apps.common import locks
from apps.common.locks import LockName
from apps.patients import rules

COMMON = 10_000  # patients; a search reports no larger number
_COUNTED = 15_000  # a common beginning is counted up to this: as many fewer may have it before it must be recounted
_NEAR_WORDS = 20
_LONGEST = 100  # letters of a word

# Words within two edits have a deletion in common (the idea is SymSpell's). A word that sounds alike but has
# hardly a letter in common is no near word (as in `names.alike`). Two neighbours swapped are one edit, levenshtein() says two.
_NEAR = """
SELECT {n}, word, min(cost) FROM (
    SELECT v.word, CASE WHEN strpos(%(swaps{n})s, ' ' || v.word || ' ') > 0 THEN 1
                        ELSE levenshtein(v.word, %(word{n})s) END AS cost
    FROM patients_nameword v
    WHERE patients_deletions(v.word) && patients_deletions(%(word{n})s) AND levenshtein_less_equal(v.word, %(word{n})s, 2) <= 2
    UNION ALL
    SELECT v.word, levenshtein(v.word, %(word{n})s) FROM patients_nameword v
    WHERE v.sound = dmetaphone(%(word{n})s) AND v.sound <> ''
      AND levenshtein(v.word, %(word{n})s) <= 0.6 * greatest(length(v.word), length(%(word{n})s))
) near GROUP BY word ORDER BY 3, 2 LIMIT {most}
"""


def near_words(words: Sequence[str]) -> list[dict[str, int]]:
    """Returns for each word the closest words of the vocabulary with their distance (see `rules.distance`), at most twenty."""
    near: list[dict[str, int]] = [{} for _ in words]
    if not words:
        return near
    values: dict[str, str] = {}
    for n, word in enumerate(word[:_LONGEST] for word in words):
        values |= {f"word{n}": word, f"swaps{n}": f" {' '.join(rules.swaps(word))} "}
    texts = [f"SELECT * FROM ({_NEAR.format(n=n, most=_NEAR_WORDS)}) of{n}" for n in range(len(words))]  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(texts), values)
        for n, word, cost in cursor.fetchall():
            near[n][word] = cost
    return near


def known(words: Iterable[str]) -> set[str]:
    """Returns which of the words occur in a name."""
    wanted = sorted(set(words))
    if not wanted:
        return set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT word FROM patients_nameword WHERE word = ANY(%s)", [wanted])
        return {word for (word,) in cursor.fetchall()}


# A beginning grows by a letter as long as it is common; each is counted along the index, as far as necessary. All in one
# statement, which sees one moment: a word removed before it is not counted, one removed after it is in `removedword`.
_NOTE_COMMON = f"""
WITH RECURSIVE letters AS (SELECT chr(code) AS letter FROM generate_series(32, 122) AS code WHERE chr(code) ~ '[a-z0-9 #+=^-]'),
grown (prefix, least) AS (
    SELECT '', 0::bigint
    UNION ALL
    SELECT next.prefix, next.least FROM grown CROSS JOIN letters CROSS JOIN LATERAL (
        SELECT grown.prefix || letter AS prefix, (
            SELECT count(*) FROM (
                SELECT 1 FROM patients_searchword w
                WHERE w.word >= grown.prefix || letter AND w.word < grown.prefix || letter || '~'
                  AND w.shared <= length(grown.prefix) ORDER BY w.word LIMIT {_COUNTED}) counted) AS least
        OFFSET 0) next
    WHERE next.least > {COMMON} AND length(next.prefix) <= {_LONGEST}),
common AS MATERIALIZED (SELECT * FROM grown WHERE prefix <> ''),
removed AS (DELETE FROM patients_removedword),
rare AS (DELETE FROM patients_commonprefix WHERE prefix NOT IN (SELECT prefix FROM common))
INSERT INTO patients_commonprefix (prefix, least) SELECT prefix, least FROM common
ON CONFLICT (prefix) DO UPDATE SET least = excluded.least
"""  # noqa: S608 (numbers of our own)


@transaction.atomic
def note_common() -> int:
    """Finds the beginnings that more than 10,000 patients have, and returns how many there are. No other process waits for it.

    Until then a new one is counted at each search; one that lost patients since is known to have.
    """
    with connection.cursor() as cursor:
        locks.lock(LockName.COMMON_PREFIXES)
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_NOTE_COMMON)
        return int(cursor.rowcount)
