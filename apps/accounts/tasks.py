"""Upkeep of sign-ins."""

from celery import shared_task

from apps.accounts import services


@shared_task
def forget_old() -> int:
    """Once a day: what is no longer needed."""
    return services.forget_old()
