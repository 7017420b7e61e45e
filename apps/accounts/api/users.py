"""The API of staff for administrators: invite, change, deactivate and reactivate."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django_filters import CharFilter, ChoiceFilter, FilterSet
from rest_framework import serializers
from rest_framework.fields import SkipField
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.actor import Actor
from apps.access.roles import STAFF
from apps.accounts import events, selectors, services
from apps.accounts.api import examples
from apps.accounts.api.serializers import ONE_OF_TWO, SessionsEndedShape, UserShape
from apps.accounts.models import Doctor, User
from apps.accounts.rights import Permission
from apps.accounts.services import NewStaff
from apps.rest import paging
from apps.rest.endpoint import endpoint
from apps.rest.filters import YesNoFilter
from apps.rest.serializers import EmailAddressField, LineField, NameField, StrictSerializer
from apps.rest.viewsets import HimsViewSet

_ROLES = [role.value for role in STAFF]
USER_STATES = ["invited", "active", "deactivated"]


class UserFilter(FilterSet):
    role = ChoiceFilter(choices=[(role, role) for role in _ROLES], help_text="Members of staff with this role")
    is_active = YesNoFilter(help_text="Whether the account is open; true for an invited person")
    search = CharFilter(method="named", max_length=100, help_text="Words of the name, the username or the e-mail address")

    class Meta:
        model = User
        fields: list[str] = []

    def named(self, rows: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return selectors.staff_named(rows, value)


class _DoctorProfileBody(StrictSerializer):
    specialty = LineField(max_length=100, required=False, allow_blank=True, help_text="Of a doctor")
    npi = LineField(max_length=10, required=False, allow_blank=True, help_text="National Provider Identifier of a doctor")
    taxonomy = LineField(max_length=10, required=False, allow_blank=True, help_text="NUCC taxonomy of a doctor, like 207Q00000X")
    languages = serializers.ListField(
        child=LineField(max_length=10), required=False, max_length=100, help_text="BCP 47 codes a doctor speaks"
    )


class InviteBody(_DoctorProfileBody):
    username = LineField(max_length=60, help_text="The username for signing in; never changes")
    email = EmailAddressField(max_length=254, help_text="The address that receives the link")
    first_name = NameField(max_length=100, allow_blank=True, help_text=ONE_OF_TWO)
    last_name = NameField(max_length=100, allow_blank=True, help_text=ONE_OF_TWO)
    role = serializers.ChoiceField(choices=_ROLES)


class ChangeUserBody(_DoctorProfileBody):
    email = EmailAddressField(max_length=254, required=False)
    first_name = NameField(max_length=100, required=False, allow_blank=True, help_text=ONE_OF_TWO)
    last_name = NameField(max_length=100, required=False, allow_blank=True, help_text=ONE_OF_TWO)
    role = serializers.ChoiceField(choices=_ROLES, required=False, help_text="A new role ends the person's sessions")


class StaffRow(UserShape):
    is_active = serializers.BooleanField(help_text="Whether the account is open")
    status = serializers.ChoiceField(choices=USER_STATES, help_text="`invited`: no password has been set yet")
    created_at = serializers.DateTimeField()
    last_sign_in_at = serializers.DateTimeField(source="last_login", allow_null=True)

    @staticmethod
    def get_status(user: User) -> str:
        if not user.is_active:
            return "deactivated"
        return "active" if user.has_usable_password() else "invited"


class StaffShape(StaffRow):
    specialty = serializers.CharField(required=False, help_text="The last four are set for doctors only")
    npi = serializers.CharField(required=False)
    taxonomy = serializers.CharField(required=False)
    languages = serializers.ListField(child=serializers.CharField(), required=False)

    @staticmethod
    def get_specialty(user: Any) -> str:
        return _profile(user).specialty

    @staticmethod
    def get_npi(user: Any) -> str:
        return _profile(user).npi

    @staticmethod
    def get_taxonomy(user: Any) -> str:
        return _profile(user).taxonomy

    @staticmethod
    def get_languages(user: Any) -> list[str]:
        return _profile(user).languages


def _profile(user: Any) -> Doctor:
    if user.profile is None:
        raise SkipField
    profile: Doctor = user.profile
    return profile


class UserViewSet(HimsViewSet):
    """The staff. A change by an administrator applies from the person's next request."""

    resource = "user"
    plural = "users"

    @endpoint(permission=Permission.STAFF_VIEW, query=UserFilter, response=StaffRow)
    def list(self, request: Request) -> Response:
        """List the staff

        Returns the members of staff, also invited people and closed accounts. Narrow the list by `role`, `is_active` or a
        `search` in names, usernames and e-mail addresses.
        """
        rows, _ = self.filtered(selectors.staff(visible_to=self.by))
        return self.page(paging.page_of(rows, self.window, paging.exact))

    @endpoint(permission=Permission.STAFF_VIEW, response=StaffShape, etag=True)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a member of staff

        Returns the account, for a doctor with specialty, NPI, taxonomy and languages. The version in `ETag` is for changing it
        safely.
        """
        user = selectors.staff(visible_to=self.by).filter(pk=self.id_in_path()).first()
        if user is None:
            raise Http404
        return self._user_response(user)

    @endpoint(
        permission=Permission.STAFF_MANAGE,
        request=InviteBody,
        response=StaffShape,
        etag=True,
        recent_login=True,
        operation_id="inviteUser",
        example=examples.INVITE,
        refusals=(services.UsernameTaken, services.NpiTaken),
        events=(events.StaffInvited,),
    )
    def create(self, request: Request) -> Response:
        """Invite a member of staff

        Opens an account without a password and mails a link that sets it; the link is valid for seven days. The username never
        changes. The last four fields apply to doctors only. Invitations are limited per caller and minute, because they send
        mail.
        """
        user = services.invite(by=self.by, staff=NewStaff(**self.parse()))
        return self.reply(_with_profile(user), location=f"/v1/users/{user.pk}", version=user.updated_at)

    def get_for_update(self) -> tuple[Any, object]:
        user = selectors.staff(visible_to=self.by).filter(pk=self.id_in_path()).select_for_update().first()
        if user is None:
            raise Http404
        return self.represent(_with_profile(user)), user.updated_at

    @endpoint(
        permission=Permission.STAFF_MANAGE,
        request=ChangeUserBody,
        response=StaffShape,
        etag=True,
        recent_login_fields=("email", "role"),
        warnings=("visits_affected",),
        refusals=(services.OwnAccount, services.LastAdministrator, services.UsernameTaken, services.NpiTaken),
        events=(events.StaffChanged, events.EmailChanged, events.StaffInvited, events.SessionEnded),
        example=examples.CHANGE_USER,
    )
    def update(self, request: Request, pk: str) -> Response:
        """Change a member of staff

        Changes a name, the e-mail address, the role or the profile of a doctor. A new role ends the person's sessions; a new
        e-mail address voids links that were mailed before. The own role cannot change, and the last administrator keeps
        theirs. A doctor who gets another role keeps the booked appointments: the warning `visits_affected` counts them.
        """
        changes = self.parse()
        user = services.change_account(by=self.by, user_id=self.id_in_path(), changes=changes)
        return self._user_response(user, visits_affected(self.by, user, "role") if "role" in changes else [])

    partial_update = update

    @endpoint(
        permission=Permission.STAFF_MANAGE,
        response=StaffShape,
        etag=True,
        recent_login=True,
        warnings=("visits_affected",),
        refusals=(services.OwnAccount, services.LastAdministrator, services.AlreadyDeactivated),
        events=(events.StaffDeactivated, events.SessionEnded, events.ApiKeyRevoked),
    )
    def deactivate(self, request: Request, pk: str) -> Response:
        """Close an account

        Closes the account: all its sessions end at once and its API keys are revoked for good. The record stays. A doctor's
        booked appointments stay in the schedule: the warning `visits_affected` counts them. The own account cannot be closed,
        and not that of the last administrator.
        """
        user = services.deactivate(by=self.by, user_id=self.id_in_path())
        return self._user_response(user, visits_affected(self.by, user))

    @endpoint(
        permission=Permission.STAFF_MANAGE,
        response=StaffShape,
        etag=True,
        recent_login=True,
        refusals=(services.AlreadyActive,),
        events=(events.StaffReactivated,),
    )
    def reactivate(self, request: Request, pk: str) -> Response:
        """Reopen an account

        Reopens a closed account; the person can sign in again with the former password. Its API keys stay revoked. An account
        that is open is refused.
        """
        return self._user_response(services.reactivate(by=self.by, user_id=self.id_in_path()))

    @endpoint(
        permission=Permission.STAFF_MANAGE,
        response=StaffShape,
        etag=True,
        recent_login=True,
        refusals=(services.OwnSecondFactor, services.NotEnrolled),
        events=(events.SecondFactorDisabled, events.SessionEnded),
    )
    def reset_mfa(self, request: Request, pk: str) -> Response:
        """Remove a lost second factor

        Removes the second factor of a person who lost the authenticator app and the recovery codes. All sessions of the person
        end, and they set up a new second factor at the next sign-in if their role requires one. Their own is refused.
        """
        return self._user_response(services.reset_mfa(by=self.by, user_id=self.id_in_path()))

    def _user_response(self, user: User, warnings: Sequence[Mapping[str, Any]] = ()) -> Response:
        return self.reply(_with_profile(user), version=user.updated_at, warnings=warnings)


class UserSessionsViewSet(HimsViewSet):
    """The sessions of another user."""

    resource = "user_session"
    tag = "Users"
    data_key = ""

    @endpoint(
        permission=Permission.STAFF_MANAGE,
        response=SessionsEndedShape,
        operation_id="revokeUserSessions",
        events=(events.SessionEnded,),
    )
    def revoke(self, request: Request, pk: str) -> Response:
        """Sign a member of staff out everywhere

        Ends all sessions of the person, in the API and in browsers. `ended` counts the API sessions that ended. API keys
        continue to work; revoke them one by one, or close the account.
        """
        return self.reply({"ended": services.revoke_sessions(by=self.by, user_id=self.id_in_path())})


def _with_profile(user: User) -> User:
    """Returns the member of staff with the `profile` of a doctor; None for others."""
    vars(user)["profile"] = selectors.doctor_profile(user.pk) if user.role == "doctor" else None
    return user


def visits_affected(by: Actor, user: User, field: str = "") -> Sequence[Mapping[str, Any]]:
    """Returns the warning that appointments stay booked with a user who no longer works as a doctor; empty without one."""
    count = services.visits_affected(by, user)
    if not count:
        return []
    message = f"{count} booked appointments with this doctor stay in the schedule. Move them to another doctor, or cancel them."
    warning = {"code": "visits_affected", "message": message, "count": count, "visits": count}
    return [warning | ({"field": field} if field else {})]
