"""Where a notification may lead: a page of this house and nowhere else."""

import re

MAX_URL = 500
URL_PATTERN = r"^/[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*$"  # the characters of RFC 3986: no blank, backslash or control character
_URL = re.compile(URL_PATTERN.rstrip("$"))


def leads_within(url: str) -> bool:
    """Whether a browser that follows the URL stays in this house: one path from the root, no scheme, no `//`."""
    return len(url) <= MAX_URL and _URL.fullmatch(url) is not None and "//" not in url
