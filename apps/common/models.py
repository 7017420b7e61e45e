"""The base of every table: a version-7 id and the times of creation and last change."""

from typing import Any, Self, TypeVar

from django.db import models

from apps.common import clock
from apps.common.ids import new_id

M = TypeVar("M", bound=models.Model)


class BaseModel(models.Model):
    """Id and times. The code that writes a row sets `updated_at` (`touch`); no trigger changes it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True

    def amend(self, **values: Any) -> list[str]:
        """Sets the values that differ and saves only those columns. Returns the names of the changed columns."""
        changed = [name for name, value in values.items() if getattr(self, name) != value]
        for name in changed:
            setattr(self, name, values[name])
        if changed:
            self.updated_at = clock.now()
            self.save(update_fields=[*changed, "updated_at"])
        return changed


class ClosedQuerySet(models.QuerySet[M]):
    """A queryset that returns no rows until its model defines who may see them."""

    def visible_to(self, actor: Any) -> Self:
        """Returns the rows that this actor may see. Closed by default: none."""
        return self.none()
