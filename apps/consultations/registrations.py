"""The handler that consultations register for a port of patients: whose doctors are on a care team."""

from apps.consultations import selectors
from apps.patients.confidentiality.models import CareTeamMember
from apps.patients.ports import care_team_doctors

care_team_doctors.register_doctors(CareTeamMember.Because.VISIT, selectors.care_team_doctors)
