"""How long doctors' times that came free are kept. Appointments, offers and their history are never removed."""

from datetime import timedelta

from apps.appointments.models import Opening
from apps.audit.retention import Rule, register

register(Rule("freed_times", lambda: timedelta(days=90), lambda before: Opening.objects.filter(ends_at__lt=before)))
