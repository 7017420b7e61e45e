"""What the desk stores: text that a user typed into a form and has not saved."""

from django.db import models

from apps.accounts.models import User
from apps.common import clock


class Draft(models.Model):
    """The values of one form as one user typed them. Patient text: only its writer reads it, and saving the form deletes it.

    `path` is the address that the form sends to, `identity` its hidden fields (`row=5`), which tell two forms with one address
    apart. With `fills_form` the page shows the values in the form when it is opened; without it, the page offers that.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    path = models.CharField(max_length=500)
    identity = models.CharField(max_length=500, blank=True)
    fields = models.JSONField(default=dict)
    fills_form = models.BooleanField(default=False)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["user", "path", "identity"], name="draft_once_of_a_form")]
        indexes = [models.Index(fields=["updated_at"], name="draft_by_age")]

    def __str__(self) -> str:
        return f"draft {self.pk}"
