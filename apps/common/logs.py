"""One log line a record: time, level, request id, logger, message; line breaks escaped, secrets and rows never printed."""

import logging
import re
from collections.abc import Iterator

import psycopg

from apps.common import context

_NAMES = r"(?:password|secret|token|api[_-]?key|mfa_code|sessionid)['\"]?\s*[:=]\s*"
_QUOTED = re.compile(rf"(?i)({_NAMES})(['\"])(?:\\.|(?!\2).)*\2?", re.DOTALL)
_BARE = re.compile(rf"(?i)({_NAMES}|bearer\s+|hims_(?:live|test)_)(?!['\"])[^\s,;&'\"}}]+")
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class LineFormatter(logging.Formatter):
    """Formats a record on one line; what looks like a credential is masked (ASVS 16.2.5)."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        raised = [part for part in record.args or () if isinstance(part, BaseException)] if isinstance(record.args, tuple) else []
        if record.exc_info:
            text = f"{text} | {self.formatException(record.exc_info)}"
            raised += [record.exc_info[1]] if record.exc_info[1] else []
        for error in raised:
            text = without_rows(text, error)
        head = f"{self.formatTime(record)} {record.levelname} {context.current().request_id or '-'} {record.name}"
        return f"{head}: {_one_line(_masked(text))}"


def without_rows(text: str, error: BaseException) -> str:
    """Returns the text without the row values in an error of PostgreSQL.

    Only the first line of the error stays: LINE repeats the statement with its values, and DETAIL contains those of the row. The
    first line of a value that cannot be read (SQLSTATE class 22) contains the value and is removed too.
    """
    for cause in _chain(error):
        if isinstance(cause, psycopg.Error) and cause.diag.sqlstate and str(cause):
            state = cause.diag.sqlstate
            first = "a value cannot be read" if state.startswith("22") else cause.diag.message_primary
            for form in (str(cause), repr(str(cause))[1:-1]):  # Celery logs the repr of an exception
                text = text.replace(form, f"{first} (SQLSTATE {state})")
    return text


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yields the error and its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _masked(text: str) -> str:
    text = _QUOTED.sub(r"\1\2***\2", text)
    text = _BARE.sub(r"\1***", text)
    return _JWT.sub("***", text)


def _one_line(text: str) -> str:
    """Returns the text with line breaks and terminal codes escaped, so that no value can forge a log line (CWE-117)."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
