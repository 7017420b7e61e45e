"""Registers what /health/ready shows of the workers: for how long events have waited for them, and audit rows for their seal."""

from apps.audit.sealing import seals
from apps.events import selectors as events
from apps.rest import health

health.watch_age("oldest_waiting_event", events.oldest_waiting)
health.watch_age("oldest_unsealed_audit_row", seals.oldest_unsealed)
