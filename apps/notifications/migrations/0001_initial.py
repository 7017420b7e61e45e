"""Messages and their recipients' copies."""

import apps.common.clock
import apps.common.ids
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('type', models.CharField(choices=[('info', 'Info'), ('success', 'Success'), ('warning', 'Warning'), ('error', 'Error')], default='info', max_length=10)),
                ('title', models.CharField(max_length=200)),
                ('message', models.TextField(max_length=4000)),
                ('priority', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('urgent', 'Urgent')], default='medium', max_length=10)),
                ('category', models.CharField(choices=[('appointment', 'Appointment'), ('consultation', 'Consultation'), ('prescription', 'Prescription'), ('lab', 'Lab'), ('billing', 'Billing'), ('message', 'Message'), ('system', 'System')], default='system', max_length=20)),
                ('action_url', models.CharField(blank=True, max_length=500, verbose_name='leads to')),
                ('event_id', models.UUIDField(editable=False, null=True)),
                ('part', models.CharField(blank=True, editable=False, max_length=40)),
                ('recipient_count', models.PositiveIntegerField(default=0, editable=False, verbose_name='recipients')),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False, verbose_name='sent')),
                ('sent_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'message',
                'indexes': [
                    models.Index(condition=models.Q(('sent_by', None), _negated=True), fields=['-created_at', '-id'], name='message_sent'),
                ],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('event_id', None), _negated=True), fields=('event_id', 'part'), name='message_once_per_event'),
                    models.CheckConstraint(condition=models.Q(('type__in', ['info', 'success', 'warning', 'error'])), name='message_type_known'),
                    models.CheckConstraint(condition=models.Q(('priority__in', ['low', 'medium', 'high', 'urgent'])), name='message_priority_known'),
                    models.CheckConstraint(condition=models.Q(('category__in', ['appointment', 'consultation', 'prescription', 'lab', 'billing', 'message', 'system'])), name='message_category_known'),
                    models.CheckConstraint(condition=models.Q(models.Q(('title', ''), _negated=True), models.Q(('message', ''), _negated=True)), name='message_says_something'),
                    models.CheckConstraint(condition=django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length('message'), 4000), name='message_length'),
                    models.CheckConstraint(condition=models.Q(('action_url', ''), models.Q(('action_url__regex', "^/[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*$"), models.Q(('action_url__contains', '//'), _negated=True)), _connector='OR'), name='message_leads_within'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=apps.common.clock.now, editable=False, verbose_name='sent')),
                ('read_at', models.DateTimeField(null=True, verbose_name='read')),
                ('message', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='notifications.message')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [
                    models.Index(fields=['user', '-created_at', '-id'], name='notification_newest'),
                    models.Index(condition=models.Q(('read_at', None)), fields=['user'], name='notification_unread'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('message', 'user'), name='notification_once_per_person'),
                ],
            },
        ),
    ]
