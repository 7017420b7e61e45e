"""A TOTP seed that waits belongs to the one session that saw it. Those that wait now belong to none and are void."""

from typing import Any

from django.db import migrations, models
from django.db.models import Q


def drop_waiting_seeds(apps: Any, schema_editor: Any) -> None:
    apps.get_model("accounts", "TotpDevice").objects.filter(confirmed_at=None).delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_api_keys")]

    operations = [
        migrations.RunPython(drop_waiting_seeds, migrations.RunPython.noop),
        migrations.AddField("totpdevice", "offered_to", models.UUIDField(null=True)),
        migrations.AddConstraint(
            "totpdevice",
            models.CheckConstraint(
                condition=Q(confirmed_at=None, offered_to__isnull=False) | Q(confirmed_at__isnull=False, offered_to=None),
                name="totp_offered_while_it_waits",
            ),
        ),
    ]
