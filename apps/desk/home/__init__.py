"""The menu and the home page of each role: what waits, and what is done next."""

from typing import Any

from apps.access.roles import Role
from apps.desk.home.administrator import AdministratorHome
from apps.desk.home.base import Home
from apps.desk.home.dashboard import DashboardHome
from apps.desk.home.doctor import DoctorHome
from apps.desk.home.nurse import NurseHome
from apps.desk.home.reception import ReceptionHome

# The work of pharmacists, the laboratory and billing is built later; their home finds a patient.
HOMES: dict[Role, Any] = {
    Role.RECEPTIONIST: ReceptionHome,
    Role.NURSE: NurseHome,
    Role.DOCTOR: DoctorHome,
    Role.MANAGER: DashboardHome,
    Role.ADMIN: AdministratorHome,
    Role.PHARMACIST: Home,
    Role.LAB_TECHNICIAN: Home,
    Role.BILLING: Home,
}
