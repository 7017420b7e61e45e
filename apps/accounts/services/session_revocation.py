"""Ends sessions: one, or all of a user, in the API and in browsers."""

import uuid
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.access.actor import Actor
from apps.access.roles import Role
from apps.accounts.events import SessionEnded
from apps.accounts.models import Session, User
from apps.accounts.rights import Permission
from apps.accounts.services.lockout import NO_USER_ID
from apps.common import clock
from apps.common.errors import Conflict, Forbidden, NotFound
from apps.events.services import emit


class AlreadyEnded(Conflict):
    message = "This session has already ended."


def end_session(*, by: Actor, session_id: UUID) -> None:
    """Ends a user's session: the next request with its tokens is refused. Raises AlreadyEnded, Forbidden for an
    administrator's."""
    with transaction.atomic():
        user_id = Session.objects.filter(pk=session_id).values_list("user", flat=True).first()
        if user_id is not None and user_id != by.id:
            lock_manageable(by, user_id)
        if not end_all(Session.objects.filter(pk=session_id, ended_at=None), by, Session.End.SIGNED_OUT):
            raise AlreadyEnded


def end_user_sessions(*, by: Actor, user: User, reason: str) -> int:
    """Ends every live API session of a user. Returns how many ended."""
    with transaction.atomic():
        return end_all(Session.objects.filter(user=user, ended_at=None), by, reason)


def end_everywhere(*, by: Actor, user: User, reason: str, keep_session_id: UUID | None = None) -> int:
    """Ends every session of a user, in browsers too, except one API session. Returns how many API sessions ended.

    A browser session knows the stamp it began with; a new stamp ends it, also if the account is closed and reopened in between.
    """
    with transaction.atomic():
        user.amend(security_stamp=uuid.uuid4())
        live = Session.objects.filter(user=user, ended_at=None)
        return end_all(live.exclude(pk=keep_session_id) if keep_session_id else live, by, reason)


def session_by_id(session_id: UUID | None) -> QuerySet[Session]:
    """Returns the API session if there is one: a page has none."""
    return Session.objects.filter(pk=session_id) if session_id else Session.objects.none()


def end_all(live: QuerySet[Session], by: Actor, reason: str) -> int:
    """Ends these sessions, each with its event, inside the caller's transaction."""
    ending = list(live.select_for_update())
    live.update(ended_at=clock.now(), end_reason=reason)
    for session in ending:
        emit(SessionEnded(user_id=session.user_id, session_id=session.pk, reason=reason), by=by)
    return len(ending)


def lock_manageable(by: Actor, user_id: UUID) -> User:
    """Returns the user whose account the actor manages, locked. Raises Forbidden for an administrator's, NotFound."""
    user = lock_staff_member(user_id)
    check_may_manage(by, user.role)
    return user


def check_may_manage(by: Actor, *roles: str) -> None:
    """Checks that the actor may manage accounts of these roles. Raises Forbidden."""
    if Role.ADMIN in roles and not by.has_permission(Permission.STAFF_MANAGE_ADMINS):
        raise Forbidden("Only an administrator manages the accounts of administrators.")


def lock_staff_member(user_id: UUID | None) -> User:
    """Returns the member of staff with the row locked until the transaction ends, so that writers that end sessions run one after
    another.

    Raises NotFound.
    """
    user = User.objects.select_for_update().filter(pk=user_id or NO_USER_ID).exclude(role=Role.PATIENT).first()
    if user is None:
        raise NotFound("There is no such member of staff.")
    return user
