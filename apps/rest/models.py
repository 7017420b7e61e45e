"""The kit's one table: tries to sign in, counted here while Redis is away."""

from django.db import models


class SignInTry(models.Model):
    """A try within the last minute. `key` holds no name, only its digest."""

    key = models.CharField(max_length=200)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["key", "at"], name="signintry_of_key")]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S}"
