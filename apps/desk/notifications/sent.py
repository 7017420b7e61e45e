"""The page of notices to the staff, and of the recipients who read them."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.access.roles import STAFF, Role
from apps.accounts.models import User
from apps.desk.appointments.labels import PRIORITIES
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.forms import ServiceForm
from apps.desk.kit.role_names import ROLE_NAMES
from apps.desk.notifications import inbox
from apps.notifications import selectors, services
from apps.notifications.models import Message
from apps.notifications.rights import Permission
from apps.notifications.services import Notice

_NOTICE_FIELDS = ("title", "message", "type", "priority", "category", "action_url")


class NoticeForm(ServiceForm[Message]):
    """The recipients and the text."""

    recipient_roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=[(role.value, ROLE_NAMES[role]) for role in STAFF],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("All active staff with these roles."),
    )
    recipient_ids = forms.ModelMultipleChoiceField(
        label=_("People"),
        queryset=User.objects.none(),
        required=False,
        help_text=_("Hold Ctrl to choose several. A person chosen twice gets one notification."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "recipient_ids" in self.fields:
            active_staff = (
                User.objects.filter(is_active=True).exclude(role=Role.PATIENT).order_by("last_name", "first_name", "pk")
            )
            cast("forms.ModelMultipleChoiceField[User]", self.fields["recipient_ids"]).queryset = active_staff

    class Meta:
        model = Message
        fields = _NOTICE_FIELDS
        help_texts = {"action_url": "A path of this installation, like /admin/. Optional."}
        widgets = {"message": forms.Textarea(attrs={"rows": 5})}


class _PriorityFilter(inbox.PriorityFilter):
    column = "priority"


class _CategoryFilter(inbox.CategoryFilter):
    column = "category"


@admin.register(Message)
class MessageAdmin(HimsModelAdmin[Message]):
    """The list of notices. A notice is sent once and not changed afterwards."""

    resource = "notice"
    title = _("Messages to staff")
    add_label = _("Send a message")
    needs = {"view": Permission.NOTIFICATION_SEND, "add": Permission.NOTIFICATION_SEND}
    form = NoticeForm
    list_display = ("title", "created_at", "sent_by", "urgency", "subject", "recipient_count")
    list_filter = (_PriorityFilter, _CategoryFilter)
    list_select_related = ("sent_by",)
    search_fields = ("title",)
    ordering = ("-created_at", "-id")
    readonly_fields = ("read_count",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("recipient_roles", "recipient_ids", *_NOTICE_FIELDS)
        return (*_NOTICE_FIELDS, "sent_by", "created_at", "recipient_count", "read_count")

    def add(self, request: HttpRequest, form: Any) -> Message:
        """Sends the notice."""
        cleaned = form.cleaned_data
        return services.send(
            by=cast("Actor", request.user),
            notice=Notice(**{name: cleaned[name] for name in _NOTICE_FIELDS}),
            ids=[person.pk for person in cleaned["recipient_ids"]],
            roles=cleaned["recipient_roles"],
        )

    @admin.display(description=_("priority"))
    def urgency(self, row: Message) -> str:
        return str(PRIORITIES[row.priority])

    @admin.display(description=_("category"))
    def subject(self, row: Message) -> str:
        return str(inbox.CATEGORIES[row.category])

    @admin.display(description=_("have read it"))
    def read_count(self, row: Message) -> str:
        return gettext("%(read)s of %(number)s") % {"read": selectors.read_count(row), "number": row.recipient_count}
