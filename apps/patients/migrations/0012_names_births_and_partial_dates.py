"""One name is enough; names without hidden characters; partial birth and chart dates; the time of birth; a country."""

import apps.common.emails
import datetime
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

from apps.common import text


def clean_names(apps, schema_editor):
    """Rewrite the names on record that hold a character the new constraint refuses."""
    rows = apps.get_model("patients", "Patient").objects
    for column in ['first_name', 'middle_name', 'last_name', 'emergency_name']:
        for row in rows.filter(**{f"{column}__regex": text.HIDDEN}):
            try:
                setattr(row, column, text.clean_line(getattr(row, column)))
            except text.LooksBlank:
                setattr(row, column, "")
            if not (row.first_name or row.last_name):
                row.last_name = "(no name)"
            row.save(update_fields=[column, "last_name"])


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0011_care_team_by_appointment'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='chartentry',
            name='chart_ends_after_start',
        ),
        migrations.RemoveConstraint(
            model_name='patient',
            name='patient_named',
        ),
        migrations.AddField(
            model_name='chartentry',
            name='ended_on',
            field=models.CharField(blank=True, db_default='', default='', editable=False, help_text='likewise', max_length=10),
        ),
        migrations.AddField(
            model_name='chartentry',
            name='occurred_on',
            field=models.CharField(blank=True, db_default='', default='', editable=False, help_text='the date as it was entered: 2015, 2015-06, 2015-06-10', max_length=10),
        ),
        migrations.AddField(
            model_name='patient',
            name='country',
            field=models.CharField(blank=True, db_default='', default='', help_text='a name or an ISO 3166-1 code', max_length=60),
        ),
        migrations.AddField(
            model_name='patient',
            name='date_of_birth_precision',
            field=models.CharField(choices=[('day', 'day'), ('month', 'month'), ('year', 'year'), ('estimated', 'estimated')], db_default='day', default='day', editable=False, max_length=10),
        ),
        migrations.AddField(
            model_name='patient',
            name='time_of_birth',
            field=models.TimeField(blank=True, help_text="on the clinic's clock, where it is known; like 14:05", null=True),
        ),
        migrations.AlterField(
            model_name='patient',
            name='date_of_birth',
            field=models.DateField(help_text='the first day of the period that is known'),
        ),
        migrations.AlterField(
            model_name='patient',
            name='email',
            field=apps.common.emails.EmailAddressField(blank=True, max_length=254),
        ),
        migrations.AlterField(
            model_name='patient',
            name='first_name',
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AlterField(
            model_name='patient',
            name='last_name',
            field=models.CharField(blank=True, help_text='of the first and the last name one may be empty', max_length=100),
        ),
        migrations.RunPython(clean_names, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name='chartentry',
            constraint=models.CheckConstraint(condition=models.Q(('ended_at', None), ('ended_at__gte', models.F('occurred_at')), models.Q(models.Q(('ended_on', ''), _negated=True), ('ended_at__gte', django.db.models.expressions.CombinedExpression(models.F('occurred_at'), '-', models.Value(datetime.timedelta(days=366, seconds=7200))))), _connector='OR'), name='chart_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='chartentry',
            constraint=models.CheckConstraint(condition=models.Q(('occurred_on__regex', '^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$'), ('ended_on__regex', '^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$'), models.Q(('ended_on', ''), ('ended_at__isnull', False), _connector='OR')), name='chart_partial_dates'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('first_name__regex', '\\S'), ('last_name__regex', '\\S'), _connector='OR'), name='patient_named'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('first_name__regex', '[\\u0001-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF\\u115F\\u1160\\u2800\\u3164\\uFFA0]'), ('middle_name__regex', '[\\u0001-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF\\u115F\\u1160\\u2800\\u3164\\uFFA0]'), ('last_name__regex', '[\\u0001-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF\\u115F\\u1160\\u2800\\u3164\\uFFA0]'), ('emergency_name__regex', '[\\u0001-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF\\u115F\\u1160\\u2800\\u3164\\uFFA0]'), _connector='OR', _negated=True), name='patient_names_visible'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('date_of_birth_precision', 'day'), models.Q(('date_of_birth__day', 1), ('date_of_birth_precision', 'month'), ('time_of_birth', None)), models.Q(('date_of_birth__day', 1), ('date_of_birth__month', 1), ('date_of_birth_precision__in', ['year', 'estimated']), ('time_of_birth', None)), _connector='OR'), name='patient_birth_of_its_precision'),
        ),
    ]
