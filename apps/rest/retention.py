"""How long the kit's own rows are stored. Stored replies have their own task: they expire after a day."""

from datetime import timedelta

from apps.common.retention import RetentionRule, register
from apps.rest.models import SignInTry

# Attempts count for a minute; those of a Redis outage are not used again.
register(RetentionRule("sign_in_tries", lambda: timedelta(hours=1), lambda before: SignInTry.objects.filter(at__lt=before)))
