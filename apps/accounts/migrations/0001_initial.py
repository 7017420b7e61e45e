"""People who sign in, their sessions, keys and second factors."""

import apps.accounts.models
import apps.common.clock
import apps.common.emails
import apps.common.ids
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('username', models.CharField(max_length=60)),
                ('email', apps.common.emails.EmailAddressField(max_length=254)),
                ('first_name', models.CharField(blank=True, max_length=100)),
                ('last_name', models.CharField(blank=True, max_length=100)),
                ('role', models.CharField(choices=[('admin', 'admin'), ('manager', 'manager'), ('doctor', 'doctor'), ('nurse', 'nurse'), ('receptionist', 'receptionist'), ('pharmacist', 'pharmacist'), ('lab_technician', 'lab technician'), ('billing', 'billing'), ('patient', 'patient')], max_length=20)),
                ('is_active', models.BooleanField(default=True)),
                ('security_stamp', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('password_needs_mfa', models.BooleanField(default=False, editable=False)),
            ],
            options={
                'ordering': ['username'],
                'constraints': [
                    models.UniqueConstraint(django.db.models.functions.text.Lower('username'), name='user_username_once'),
                    models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='user_email_once'),
                    models.CheckConstraint(condition=models.Q(('role__in', ['admin', 'manager', 'doctor', 'nurse', 'receptionist', 'pharmacist', 'lab_technician', 'billing', 'patient'])), name='user_role_known'),
                    models.CheckConstraint(condition=models.Q(models.Q(('username', ''), _negated=True), models.Q(('first_name__regex', '\\S'), ('last_name__regex', '\\S'), _connector='OR')), name='user_named'),
                    models.CheckConstraint(condition=models.Q(('first_name__regex', '[\\u0001-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF\\u115F\\u1160\\u2800\\u3164\\uFFA0]'), ('last_name__regex', '[\\u0001-\\u001F\\u007F-\\u009F\\u00AD\\u061C\\u180E\\u200B\\u200E\\u200F\\u2028-\\u202E\\u2060-\\u2064\\u2066-\\u2069\\uFEFF\\u115F\\u1160\\u2800\\u3164\\uFFA0]'), _connector='OR', _negated=True), name='user_names_visible'),
                ],
            },
            bases=(apps.accounts.models.RolePermissions, models.Model),
        ),
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=apps.common.clock.now, editable=False)),
                ('name', models.CharField(max_length=100)),
                ('prefix', models.CharField(help_text='the first characters of the key', max_length=16)),
                ('last4', models.CharField(help_text='the last four characters of the key', max_length=4)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('allowed_cidrs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=43), blank=True, default=list, size=None)),
                ('last_used_at', models.DateTimeField(editable=False, null=True)),
                ('revoked_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'verbose_name': 'API key',
                'ordering': ['-created_at', '-id'],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='api_key_named'),
                    models.CheckConstraint(condition=models.Q(('prefix__regex', '^hims_(live|test)_[0-9a-f]{6}$')), name='api_key_prefix_shape'),
                    models.CheckConstraint(condition=models.Q(('scopes__len__gt', 0), ('scopes__contained_by', ['analytics:read', 'appointments:read', 'appointments:write', 'audit:read', 'billing:read', 'billing:write', 'consultations:read', 'consultations:write', 'history:read', 'history:write', 'lab:read', 'lab:write', 'notifications:read', 'notifications:send', 'patients:read', 'patients:write', 'pharmacy:read', 'pharmacy:write', 'prescriptions:read', 'prescriptions:write', 'webhooks:manage'])), name='api_key_scopes_known'),
                    models.CheckConstraint(condition=models.Q(('expires_at', None), ('expires_at__gt', models.F('created_at')), _connector='OR'), name='api_key_expires_later'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ApiKeySecret',
            fields=[
                ('secret_hash', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('issued_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('ends_at', None), ('ends_at__gte', models.F('issued_at')), _connector='OR'), name='api_key_secret_ends_later'),
                ],
            },
        ),
        migrations.CreateModel(
            name='FailureCount',
            fields=[
                ('key', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('in_a_row', models.PositiveIntegerField(default=0)),
                ('recent', django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), default=list, size=None)),
                ('last_at', models.DateTimeField(default=apps.common.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name='KnownPlace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mark', models.CharField(max_length=80)),
                ('last_used_at', models.DateTimeField()),
                ('failures', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='PasswordLink',
            fields=[
                ('token_hash', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('reset', 'Reset'), ('invitation', 'Invitation')], max_length=10)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now)),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('purpose__in', ['reset', 'invitation'])), name='password_link_purpose_known'),
                    models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='password_link_expires_later'),
                ],
            },
        ),
        migrations.CreateModel(
            name='RecoveryCode',
            fields=[
                ('code_hash', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('issued_at', models.DateTimeField(default=apps.common.clock.now)),
                ('used_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RefreshToken',
            fields=[
                ('token_hash', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('issued_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Session',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('started_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('end_reason', models.CharField(blank=True, choices=[('signed_out', 'Signed Out'), ('refresh_reused', 'Refresh Reused'), ('deactivated', 'Deactivated'), ('role_changed', 'Role Changed'), ('password_changed', 'Password Changed'), ('mfa_changed', 'Mfa Changed'), ('proof_failed', 'Proof Failed')], max_length=20)),
                ('ip', models.GenericIPAddressField(null=True)),
                ('user_agent', models.CharField(blank=True, max_length=200)),
                ('reauthenticated_at', models.DateTimeField(default=apps.common.clock.now)),
                ('failed_proofs', models.PositiveSmallIntegerField(default=0)),
                ('enrollment_only', models.BooleanField(default=False)),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('end_reason', ''), ('ended_at', None)), models.Q(('ended_at__isnull', False), models.Q(('end_reason', ''), _negated=True)), _connector='OR'), name='session_end_has_reason'),
                    models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('started_at'))), name='session_expires_later'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Doctor',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('specialty', models.CharField(max_length=100)),
                ('npi', models.CharField(blank=True, max_length=10, verbose_name='NPI')),
                ('taxonomy', models.CharField(blank=True, max_length=10, verbose_name='NUCC taxonomy')),
                ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10), blank=True, default=list, size=None)),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(models.F('npi'), condition=models.Q(('npi', ''), _negated=True), name='doctor_npi_once'),
                    models.CheckConstraint(condition=models.Q(('npi', ''), ('npi__regex', '^[12]\\d{9}$'), _connector='OR'), name='doctor_npi_shape'),
                    models.CheckConstraint(condition=models.Q(('taxonomy', ''), ('taxonomy__regex', '^[0-9A-Z]{9}X$'), _connector='OR'), name='doctor_taxonomy_shape'),
                ],
            },
        ),
        migrations.CreateModel(
            name='TotpDevice',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('sealed_seed', models.BinaryField()),
                ('created_at', models.DateTimeField(default=apps.common.clock.now)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('offered_to', models.UUIDField(null=True)),
                ('last_step', models.BigIntegerField(default=-1)),
                ('drift', models.SmallIntegerField(default=0)),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('drift__gte', -10), ('drift__lte', 10)), name='totp_drift_bounded'),
                    models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at', None), ('offered_to__isnull', False)), models.Q(('confirmed_at__isnull', False), ('offered_to', None)), _connector='OR'), name='totp_offered_while_it_waits'),
                ],
            },
        ),
        migrations.AddField(
            model_name='apikey',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner'),
        ),
        migrations.AddField(
            model_name='apikeysecret',
            name='api_key',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.apikey'),
        ),
        migrations.AddField(
            model_name='failurecount',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='knownplace',
            name='user',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='passwordlink',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='recoverycode',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='session',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='refreshtoken',
            name='session',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.session'),
        ),
        migrations.AddConstraint(
            model_name='apikeysecret',
            constraint=models.UniqueConstraint(models.F('api_key'), condition=models.Q(('ends_at', None)), name='api_key_secret_current_once'),
        ),
        migrations.AddConstraint(
            model_name='knownplace',
            constraint=models.UniqueConstraint(fields=('user', 'mark'), name='known_place_once'),
        ),
        migrations.AddIndex(
            model_name='session',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['user'], name='session_live'),
        ),
    ]
