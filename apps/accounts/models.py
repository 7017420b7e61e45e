"""Staff, doctors, sessions and the refresh tokens that keep a session going."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.access import matrix
from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.access.roles import Role
from apps.access.scopes import Scope
from apps.common.models import BaseModel, ClosedQuerySet

ROLES = [(role.value, role.value.replace("_", " ")) for role in Role]


class Rights:
    """What a role entails; shared by the account and by the principal of a request."""

    role: str
    key_id: UUID | None = None  # of the API key that acts for this person; None: the person himself
    scopes: frozenset[str] = frozenset()  # of that key

    def may(self, permission: Permission) -> bool:
        return permission in matrix.permissions_of(self.role, admin_clinical=settings.HIMS_ADMIN_CLINICAL)

    def reads_chart(self, entry_type: str) -> bool:
        return entry_type in matrix.readable_chart_types(self.role, admin_clinical=settings.HIMS_ADMIN_CLINICAL)

    def writes_chart(self, entry_type: str) -> bool:
        return entry_type in matrix.writable_chart_types(self.role, admin_clinical=settings.HIMS_ADMIN_CLINICAL)


class UserQuerySet(ClosedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Administrators see all staff; everybody sees himself."""
        return self.all() if actor.may(Permission.STAFF_VIEW) else self.filter(pk=actor.id)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Finds people by username in any case; makes nobody (see `services.hire`)."""

    def get_by_natural_key(self, username: str | None) -> Any:
        return self.get(username__iexact=username)


class User(Rights, BaseModel, AbstractBaseUser):
    """A person who may sign in. One role; deactivation ends every session."""

    username = models.CharField(max_length=60)
    email = models.EmailField(max_length=254)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    role = models.CharField(max_length=20, choices=ROLES)
    is_active = models.BooleanField(default=True)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email", "first_name", "last_name"]

    class Meta:
        ordering = ["username"]
        constraints = [
            models.UniqueConstraint(Lower("username"), name="user_username_once"),
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="user_role_known"),
            models.CheckConstraint(condition=~Q(username="") & ~Q(first_name="") & ~Q(last_name=""), name="user_named"),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name} ({self.username})"

    @property
    def is_staff(self) -> bool:
        """Django's name for 'may open the admin'."""
        return self.is_active and self.role != Role.PATIENT

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's own permission strings grant nothing here: the admin classes ask `may`."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class DoctorQuerySet(ClosedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Those who work as doctors today."""
        working = self.filter(user__is_active=True, user__role=Role.DOCTOR)
        return working if actor.may(Permission.DOCTOR_VIEW) else self.none()


class Doctor(models.Model):
    """What a doctor has beside the account. Its key is the user's id: a staff member has one id."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, primary_key=True, related_name="+")
    specialty = models.CharField(max_length=100)
    npi = models.CharField("NPI", max_length=10, blank=True)
    taxonomy = models.CharField("NUCC taxonomy", max_length=10, blank=True)
    languages = ArrayField(models.CharField(max_length=10), default=list, blank=True)

    objects = DoctorQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("npi", condition=~Q(npi=""), name="doctor_npi_once"),
            models.CheckConstraint(condition=Q(npi="") | Q(npi__regex=r"^[12]\d{9}$"), name="doctor_npi_shape"),
            models.CheckConstraint(condition=Q(taxonomy="") | Q(taxonomy__regex=r"^[0-9A-Z]{9}X$"), name="doctor_taxonomy_shape"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.specialty}"


class SessionQuerySet(ClosedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Administrators see everybody's; everybody sees their own."""
        return self.all() if actor.may(Permission.STAFF_VIEW) else self.filter(user_id=actor.id)


class Session(models.Model):
    """A sign-in over the API. Ended, idle for an hour or twelve hours old, its tokens are worth nothing."""

    class End(models.TextChoices):
        SIGNED_OUT = "signed_out"
        REFRESH_REUSED = "refresh_reused"  # a spent refresh token came back: somebody has a copy
        DEACTIVATED = "deactivated"
        ROLE_CHANGED = "role_changed"
        PASSWORD_CHANGED = "password_changed"  # noqa: S105

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=20, blank=True, choices=End)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None, end_reason="") | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
                name="session_end_has_reason",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("started_at")), name="session_expires_later"),
        ]
        indexes = [models.Index(fields=["user"], name="session_live", condition=Q(ended_at=None))]

    def __str__(self) -> str:
        return f"{self.user_id} {self.started_at:%Y-%m-%d %H:%M}"


class RefreshToken(models.Model):
    """One refresh token, as its SHA-256. Used once; used twice, its session dies."""

    token_hash = models.BinaryField(primary_key=True, max_length=32)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    issued_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"of session {self.session_id}"


class ApiKeyQuerySet(ClosedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Administrators see everybody's; everybody sees their own."""
        return self.all() if actor.may(Permission.KEY_KEEP_ALL) else self.filter(user_id=actor.id)

    def live(self, now: datetime) -> Self:
        """Those that open doors at this moment."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class ApiKey(BaseModel):
    """A program's leave to act for its owner, within the scopes. Its text is nowhere: see `ApiKeySecret`."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="owner")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, help_text="how the key's text begins")
    last4 = models.CharField(max_length=4, help_text="how it ends")
    scopes = ArrayField(models.CharField(max_length=40))
    expires_at = models.DateTimeField(null=True, blank=True)
    allowed_cidrs = ArrayField(models.CharField(max_length=43), default=list, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="api_key_named"),
            models.CheckConstraint(condition=Q(prefix__regex=r"^hims_(live|test)_[0-9a-f]{6}$"), name="api_key_prefix_shape"),
            models.CheckConstraint(
                condition=Q(scopes__len__gt=0) & Q(scopes__contained_by=[scope.value for scope in Scope]),
                name="api_key_scopes_known",
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=models.F("created_at")), name="api_key_expires_later"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…{self.last4})"

    def state(self, now: datetime) -> str:
        """In one word: active, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


class ApiKeySecret(models.Model):
    """One text of a key, as its SHA-256. A rotation gives the key a new one; the old ends a day later."""

    secret_hash = models.BinaryField(primary_key=True, max_length=32)
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("api_key", condition=Q(ends_at=None), name="api_key_secret_current_once"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=models.F("issued_at")), name="api_key_secret_ends_later"
            ),
        ]

    def __str__(self) -> str:
        return f"of key {self.api_key_id}"
