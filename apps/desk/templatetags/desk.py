"""Template tags of the desk."""

from typing import Any

from django import template
from django.contrib import admin
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.access.roles import Role
from apps.desk.audit import actions
from apps.desk.kit.role_names import ROLE_NAMES
from apps.rest.paging import COUNTED_UP_TO

register = template.Library()


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Returns an icon of `static/hims/icons.svg`, hidden from screen readers: a word is next to it. `extra` is a class, like
    "turn" for an arrow that follows the direction of writing."""
    classes = f"i {extra}".rstrip()
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, static("hims/icons.svg"), name)


@register.filter
def list_title(opts: Any) -> str:
    """Returns what the list of a model is called on pages."""
    page = admin.site._registry.get(opts.model)
    return getattr(page, "title", "") or str(opts.verbose_name_plural).capitalize()


@register.filter
def is_capped(cl: Any) -> bool:
    """Returns whether a list has more rows than are counted."""
    return bool(cl.result_count > COUNTED_UP_TO)


@register.filter
def role_name(role: str) -> str:
    """Returns a role in words; one that is no member of staff (system) as it is stored."""
    return str(ROLE_NAMES[Role(role)]) if role in set(ROLE_NAMES) else role


@register.filter
def action_words(action: str) -> str:
    """Returns an action of the audit log in words."""
    return actions.words(action)
