"""The menu and the home page of each role: what waits, and what is done next."""

from typing import Any

from apps.access.roles import Role
from apps.desk.home.simple import NumbersHome

HOMES: dict[Role, Any] = {role: NumbersHome for role in Role if role is not Role.PATIENT}
