"""How long freed times are stored. Appointments, offers and their history are never removed."""

from datetime import timedelta

from apps.appointments.models import FreedSlotOffer
from apps.common.retention import RetentionRule, register

register(
    RetentionRule("freed_times", lambda: timedelta(days=90), lambda before: FreedSlotOffer.objects.filter(ends_at__lt=before))
)
