"""An index of the deliveries that no worker has begun: /health/ready reads its first entry."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("attempts", 0), ("status", "pending")), fields=["event"], name="delivery_not_begun"
            ),
        )
    ]
