"""What the roles are called on pages."""

from django.utils.translation import gettext_lazy as _

from apps.access.roles import Role

ROLE_NAMES = {
    Role.ADMIN: _("System administrator"),
    Role.MANAGER: _("Manager"),
    Role.DOCTOR: _("Doctor"),
    Role.NURSE: _("Nurse"),
    Role.RECEPTIONIST: _("Reception"),
    Role.PHARMACIST: _("Pharmacist"),
    Role.LAB_TECHNICIAN: _("Laboratory"),
    Role.BILLING: _("Billing"),
}
