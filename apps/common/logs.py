"""One log line a record: time, level, request id, logger, message; line breaks escaped, secrets never printed."""

import logging
import re

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
        if record.exc_info:
            text = f"{text} | {self.formatException(record.exc_info)}"
        head = f"{self.formatTime(record)} {record.levelname} {context.current().request_id or '-'} {record.name}"
        return f"{head}: {_one_line(_masked(text))}"


def _masked(text: str) -> str:
    text = _QUOTED.sub(r"\1\2***\2", text)
    text = _BARE.sub(r"\1***", text)
    return _JWT.sub("***", text)


def _one_line(text: str) -> str:
    """Line breaks and terminal codes as their escapes, so that nobody forges a line (CWE-117)."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
