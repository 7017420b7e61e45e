"""One name is enough; names without hidden characters; e-mail addresses in any script."""

import apps.common.emails
from django.db import migrations, models

from apps.common import text


def clean_names(apps, schema_editor):
    """Rewrite the names on record that hold a character the new constraint refuses."""
    rows = apps.get_model("accounts", "User").objects
    for column in ['first_name', 'last_name']:
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
        ('accounts', '0004_seed_offered_to_one_session'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='user',
            name='user_named',
        ),
        migrations.AlterField(
            model_name='user',
            name='email',
            field=apps.common.emails.EmailAddressField(max_length=254),
        ),
        migrations.AlterField(
            model_name='user',
            name='first_name',
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AlterField(
            model_name='user',
            name='last_name',
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.RunPython(clean_names, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('username', ''), _negated=True), models.Q(('first_name__regex', '\\S'), ('last_name__regex', '\\S'), _connector='OR')), name='user_named'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('first_name__regex', '[\\u0001-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF\\u115F\\u1160\\u2800\\u3164\\uFFA0]'), ('last_name__regex', '[\\u0001-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF\\u115F\\u1160\\u2800\\u3164\\uFFA0]'), _connector='OR', _negated=True), name='user_names_visible'),
        ),
    ]
