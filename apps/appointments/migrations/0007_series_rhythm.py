import django.contrib.postgres.fields
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """A series is daily, weekly or monthly; until now all were weekly."""

    dependencies = [
        ("appointments", "0006_freed_slot_offers"),
    ]

    operations = [
        migrations.RemoveConstraint("series", "series_rhythm"),
        migrations.RenameField("series", "every_weeks", "interval"),
        migrations.AlterField(
            "series",
            "interval",
            models.PositiveSmallIntegerField(default=1, help_text="every so many days, weeks or months"),
        ),
        migrations.AddField(
            "series",
            "frequency",
            models.CharField(
                choices=[("daily", "daily"), ("weekly", "weekly"), ("monthly", "monthly")], default="weekly", max_length=10
            ),
        ),
        migrations.AddField(
            "series",
            "by_weekday",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveSmallIntegerField(), blank=True, default=list, help_text="0 is Monday", size=None
            ),
        ),
        migrations.AddField(
            "series",
            "by_month_day",
            models.SmallIntegerField(blank=True, help_text="-1 is the last day of the month", null=True),
        ),
        migrations.AddField(
            "series",
            "by_set_position",
            models.SmallIntegerField(blank=True, help_text="which of the month's weekdays; -1 is the last", null=True),
        ),
        migrations.AddField(
            "series", "until", models.DateField(blank=True, help_text="the last day, itself included", null=True)
        ),
        migrations.AddConstraint(
            "series",
            models.CheckConstraint(
                condition=Q(frequency="daily", interval__range=(1, 365))
                | Q(frequency="weekly", interval__range=(1, 52))
                | Q(frequency="monthly", interval__range=(1, 12)),
                name="series_rhythm",
            ),
        ),
        migrations.AddConstraint(
            "series",
            models.CheckConstraint(
                condition=Q(frequency="monthly") | Q(by_month_day=None, by_set_position=None), name="series_month_parts"
            ),
        ),
        migrations.AddConstraint(
            "series",
            models.CheckConstraint(condition=Q(by_weekday__contained_by=[0, 1, 2, 3, 4, 5, 6]), name="series_weekdays"),
        ),
    ]
