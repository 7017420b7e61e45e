"""Upkeep of the trail."""

from celery import shared_task

from apps.audit import services


@shared_task
def make_partitions() -> list[str]:
    """Have the tables of the coming months ready."""
    return services.make_partitions()
