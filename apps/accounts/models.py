"""Staff, doctors, sessions with their refresh tokens, second factors, mailed links, and the history of sign-ins."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from apps.access.actor import Actor
from apps.access.roles import Role
from apps.access.scopes import Scope
from apps.accounts.authentication.principal import RolePermissions
from apps.accounts.rights import Permission
from apps.common import clinic_times, clock
from apps.common.emails import EmailAddressField
from apps.common.models import BaseModel, ClosedQuerySet
from apps.common.text import HIDDEN, full_name, isolated

ROLES = [(role.value, role.value.replace("_", " ")) for role in Role]


class UserQuerySet(ClosedQuerySet["User"]):
    def visible_to(self, actor: Actor) -> Self:
        """Administrators see all staff; other users see themselves."""
        return self.all() if actor.has_permission(Permission.STAFF_VIEW) else self.filter(pk=actor.id)


_UserManager = BaseUserManager.from_queryset(UserQuerySet)


class UserManager(_UserManager["User"]):
    """Finds users by username in any case; creates none (see `services.hire`)."""

    def get_by_natural_key(self, username: str | None) -> Any:
        return self.get(username__iexact=username)


class User(RolePermissions, BaseModel, AbstractBaseUser):
    """A person who may sign in. One role; deactivation ends all sessions."""

    username = models.CharField(max_length=60)
    email = EmailAddressField(max_length=254)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=20, choices=ROLES)
    is_active = models.BooleanField(default=True)
    security_stamp = models.UUIDField(default=uuid.uuid4, editable=False)  # a new stamp ends all browser sessions
    password_needs_mfa = models.BooleanField(default=False, editable=False)  # shorter than allowed without a second factor

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
            models.CheckConstraint(
                condition=~Q(username="") & (Q(first_name__regex=r"\S") | Q(last_name__regex=r"\S")), name="user_named"
            ),
            models.CheckConstraint(
                condition=~(Q(first_name__regex=HIDDEN) | Q(last_name__regex=HIDDEN)),
                name="user_names_visible",
            ),
        ]

    def __str__(self) -> str:
        return isolated(self.full_name)

    @property
    def full_name(self) -> str:
        """Returns the first and last name; one of them may be empty."""
        return full_name(self.first_name, self.last_name)

    @property
    def is_staff(self) -> bool:
        """Django's name for 'may open the admin'."""
        return self.is_active and self.role != Role.PATIENT

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """Returns what a browser session must match: the password and the stamp it began with."""
        known = f"{self.password}{self.security_stamp}"
        return salted_hmac("apps.accounts.browser_session", known, secret=secret, algorithm="sha256").hexdigest()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's own permission strings grant nothing here: the admin classes ask `can_open`."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class DoctorQuerySet(ClosedQuerySet["Doctor"]):
    def visible_to(self, actor: Actor) -> Self:
        """Returns the users who work as doctors today."""
        working = self.filter(user__is_active=True, user__role=Role.DOCTOR)
        return working if actor.has_permission(Permission.DOCTOR_VIEW) else self.none()

    def former(self, actor: Actor) -> Self:
        """Returns the users who worked as doctors and no longer do."""
        gone = self.exclude(user__is_active=True, user__role=Role.DOCTOR)
        return gone if actor.has_permission(Permission.DOCTOR_VIEW) else self.none()


class Doctor(models.Model):
    """The profile of a doctor in addition to the account. Its key is the user's id: a member of staff has one id."""

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

    @property
    def works_here(self) -> bool:
        """Returns whether the user works as a doctor today."""
        return self.user.is_active and self.user.role == Role.DOCTOR


class SessionQuerySet(ClosedQuerySet["Session"]):
    def visible_to(self, actor: Actor) -> Self:
        """Administrators see all; other users see their own."""
        return self.all() if actor.has_permission(Permission.STAFF_VIEW) else self.filter(user_id=actor.id)


class Session(models.Model):
    """An API sign-in. Its tokens are void once it ended, was idle for an hour or is twelve hours old."""

    class End(models.TextChoices):
        SIGNED_OUT = "signed_out"
        REFRESH_REUSED = "refresh_reused"  # a spent refresh token was used again: there is a copy of it
        DEACTIVATED = "deactivated"
        ROLE_CHANGED = "role_changed"
        PASSWORD_CHANGED = "password_changed"  # noqa: S105
        MFA_CHANGED = "mfa_changed"
        PROOF_FAILED = "proof_failed"  # too many wrong passwords or codes in the session: the user of the tokens is not the owner

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=20, blank=True, choices=End)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    reauthenticated_at = models.DateTimeField(default=clock.now)  # when password (and code) were last confirmed; a sign-in counts
    failed_proofs = models.PositiveSmallIntegerField(default=0)  # wrong passwords and codes in a row since then
    enrollment_only = models.BooleanField(default=False)  # valid only for setting up the second factor

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
        return f"{self.user_id} {clinic_times.moment(self.started_at)}"


class RefreshToken(models.Model):
    """One refresh token, as its SHA-256. Valid once; a second use ends its session."""

    token_hash = models.BinaryField(primary_key=True, max_length=32)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    issued_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"of session {self.session_id}"


class ApiKeyQuerySet(ClosedQuerySet["ApiKey"]):
    def visible_to(self, actor: Actor) -> Self:
        """Administrators see all; other users see their own."""
        return self.all() if actor.has_permission(Permission.KEY_KEEP_ALL) else self.filter(user_id=actor.id)

    def live(self, now: datetime) -> Self:
        """Returns the keys that are valid now."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class ApiKey(BaseModel):
    """A program's permission to act for its owner, within the scopes. Its text is not stored: see `ApiKeySecret`."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="owner")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, help_text="the first characters of the key")
    last4 = models.CharField(max_length=4, help_text="the last four characters of the key")
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
        """Returns active, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


class ApiKeySecret(models.Model):
    """One text of a key, as its SHA-256. A rotation gives the key a new one; the old one ends a day later."""

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


class TotpDevice(models.Model):
    """An authenticator app. Replaces django-otp's own table, which stores the seed in clear: its arithmetic over a sealed
    seed."""

    DRIFT_LIMIT = 10  # steps of 30 seconds that a phone's clock may be off

    user = models.OneToOneField(User, on_delete=models.PROTECT, primary_key=True, related_name="+")
    sealed_seed = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now)
    confirmed_at = models.DateTimeField(null=True)  # active from then on
    offered_to = models.UUIDField(null=True)  # while it is pending: the session, or half-finished sign-in, that saw the seed
    last_step = models.BigIntegerField(default=-1)  # of the newest accepted code: no code is valid twice
    drift = models.SmallIntegerField(default=0)  # the observed clock drift of the phone, in steps

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(drift__gte=-10, drift__lte=10), name="totp_drift_bounded"),
            models.CheckConstraint(
                condition=Q(confirmed_at=None, offered_to__isnull=False) | Q(confirmed_at__isnull=False, offered_to=None),
                name="totp_offered_while_it_waits",
            ),
        ]

    def __str__(self) -> str:
        return f"of {self.user_id}"


class RecoveryCode(models.Model):
    """A code for a lost phone, as a hash. Valid once."""

    code_hash = models.BinaryField(primary_key=True, max_length=32)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField(default=clock.now)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"of {self.user_id}"


class PasswordLink(models.Model):
    """A mailed link that sets a password, as the SHA-256 of its token. Valid once, for a limited time."""

    class Purpose(models.TextChoices):
        RESET = "reset"
        INVITATION = "invitation"

    token_hash = models.BinaryField(primary_key=True, max_length=32)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=10, choices=Purpose)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)  # or void, since another link was used

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(purpose__in=["reset", "invitation"]), name="password_link_purpose_known"),
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("created_at")), name="password_link_expires_later"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.user_id}"


class KnownPlace(models.Model):
    """An address (`net:…`) or a browser (`device:…`) from which a user has signed in."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    mark = models.CharField(max_length=80)
    last_used_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)  # in a row, from here; too many, and the place is no longer known

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "mark"], name="known_place_once")]

    def __str__(self) -> str:
        return f"{self.mark} of {self.user_id}"


class FailureCount(models.Model):
    """Wrong passwords and codes for one account, or for a name without an account: both are counted, so that they cannot be
    distinguished."""

    key = models.CharField(max_length=64, primary_key=True)  # a keyed digest: people type passwords into the name field
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")  # the key alone identifies the counter
    in_a_row = models.PositiveIntegerField(default=0)
    recent = ArrayField(models.DateTimeField(), default=list)  # the newest, oldest first
    last_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.in_a_row} in a row"
