"""How long the kit's own rows are kept. Kept replies have a task of their own: they expire after a day."""

from datetime import timedelta

from apps.common.retention import RetentionRule, register
from apps.rest.models import SignInTry

# Tries count for a minute; those of an outage of Redis are not looked at again.
register(RetentionRule("sign_in_tries", lambda: timedelta(hours=1), lambda before: SignInTry.objects.filter(at__lt=before)))
