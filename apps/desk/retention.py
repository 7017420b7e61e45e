"""How long unsaved text is stored."""

from datetime import timedelta

from apps.common.retention import RetentionRule, register
from apps.desk.models import Draft

register(RetentionRule("drafts", lambda: timedelta(days=7), lambda before: Draft.objects.filter(updated_at__lt=before)))
