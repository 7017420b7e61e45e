"""Kept replies, counted sign-ins and the row that readiness writes."""

from django.db import migrations, models

# Two statements in one call: the look-up begins after the lock is ours, so it sees what the previous owner of the lock stored. In
# one statement it would not.
#
# PostgreSQL keeps the plan of a statement in a function. Made while the table is small, it would read the whole table, and go on
# doing so until the next ANALYZE: a booking then cost three times as much. Without sequential scans it is the primary key's.
BEGIN_KEYED = """
CREATE FUNCTION rest_begin_keyed(lock_key bigint, digest bytea, instant timestamptz) RETURNS TABLE (
    locked boolean, asked bytea, request_id varchar, status smallint, sealed bytea, kept_at timestamptz, expires_at timestamptz
) LANGUAGE plpgsql SET enable_seqscan TO off AS $$
BEGIN
    locked := pg_try_advisory_xact_lock(lock_key);
    IF locked THEN
        SELECT k.asked, k.request_id, k.status, k.sealed, k.kept_at, k.expires_at
        INTO asked, request_id, status, sealed, kept_at, expires_at
        FROM rest_keptreply k WHERE k.name = digest AND k.expires_at > instant;
    END IF;
    RETURN NEXT;
END $$
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='KeptReply',
            fields=[
                ('name', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('asked', models.BinaryField(max_length=32)),
                ('request_id', models.CharField(max_length=64)),
                ('status', models.SmallIntegerField()),
                ('sealed', models.BinaryField()),
                ('kept_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'verbose_name_plural': 'stored replies',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('status__gte', 200), ('status__lt', 300)), ('status', 409), _connector='OR'), name='keptreply_success_or_conflict'), models.CheckConstraint(condition=models.Q(('name__length', 32), ('asked__length', 32)), name='keptreply_digests'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('kept_at'))), name='keptreply_expires_later')],
            },
        ),
        migrations.CreateModel(
            name='SignInTry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200)),
                ('at', models.DateTimeField(db_index=True)),
            ],
            options={
                'indexes': [models.Index(fields=['key', 'at'], name='signintry_of_key')],
            },
        ),
        migrations.CreateModel(
            name='WriteProbe',
            fields=[
                ('id', models.SmallIntegerField(primary_key=True, serialize=False)),
                ('written_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='writeprobe_one_row')],
            },
        ),
        migrations.RunSQL(BEGIN_KEYED, "DROP FUNCTION rest_begin_keyed(bigint, bytea, timestamptz)"),
    ]
