"""One log line a record: time, level, request id, logger, message; line breaks escaped, secrets never printed."""

import logging
import re

from apps.common import context

_SECRET = re.compile(r"(?i)(bearer\s+|password['\"]?\s*[:=]\s*|token['\"]?\s*[:=]\s*|hims_(?:live|test)_)[^\s,'\"}]+")


class LineFormatter(logging.Formatter):
    """Formats a record on one line; what looks like a credential is masked (ASVS 16.2.5)."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info:
            text = f"{text} | {self.formatException(record.exc_info)}"
        text = _SECRET.sub(r"\1***", text).replace("\r", "\\r").replace("\n", "\\n")
        return f"{self.formatTime(record)} {record.levelname} {context.current().request_id or '-'} {record.name}: {text}"
