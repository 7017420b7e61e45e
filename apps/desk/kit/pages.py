"""The links to the other pages of a list."""

from typing import Any

from django.contrib.admin.views.main import PAGE_VAR, ChangeList


def page_links(cl: ChangeList) -> list[dict[str, Any]]:
    """Returns the pages near the present one (number, url, is_current), a gap without url; nothing if there is only one page."""
    if not cl.multi_page:
        return []
    return [
        {
            "number": number,
            "url": cl.get_query_string({PAGE_VAR: number}) if isinstance(number, int) else "",
            "is_current": number == cl.page_num,
        }
        for number in cl.paginator.get_elided_page_range(cl.page_num, on_each_side=2, on_ends=1)
    ]
