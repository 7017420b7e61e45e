"""The base of every table: a version-7 id and the times of birth and last change."""

from typing import Any, Self, TypeVar

from django.db import models

from apps.common import clock
from apps.common.ids import new_id

M = TypeVar("M", bound=models.Model)


class BaseModel(models.Model):
    """Id and times. `updated_at` is set by whoever writes (`touch`), never behind his back."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True

    def amend(self, **values: Any) -> list[str]:
        """Set what differs and save just those columns. Answers the names of the columns that changed."""
        changed = [name for name, value in values.items() if getattr(self, name) != value]
        for name in changed:
            setattr(self, name, values[name])
        if changed:
            self.updated_at = clock.now()
            self.save(update_fields=[*changed, "updated_at"])
        return changed


class ClosedQuerySet(models.QuerySet[M]):
    """A queryset that shows nobody anything until its model says who may see what."""

    def visible_to(self, actor: Any) -> Self:
        """The rows this actor may know of. Closed by default."""
        return self.none()
