"""What can be done with a visit. Read through the module: `services.start(...)`, `services.save_step(...)`."""

from apps.consultations.services.importing import ImportedConsultation, ImportedSave, import_records
from apps.consultations.services.locking import IllegalMove, get_for_update
from apps.consultations.services.pause_transfer import NotOngoing, cancel, hand_over, hold, resume
from apps.consultations.services.ready_for_doctor import AlreadyReady, ready
from apps.consultations.services.signing import Incomplete, add, complete, content_sha256
from apps.consultations.services.starting import AlreadyStarted, NewConsultation, PatientNotActive, start
from apps.consultations.services.steps import EarlierStepOpen, NewSave, NotOpen, StepChanged, save_step
from apps.consultations.steps.ports import Acknowledged

__all__ = [
    "Acknowledged",
    "AlreadyReady",
    "AlreadyStarted",
    "EarlierStepOpen",
    "IllegalMove",
    "ImportedConsultation",
    "ImportedSave",
    "Incomplete",
    "NewConsultation",
    "NewSave",
    "NotOngoing",
    "NotOpen",
    "PatientNotActive",
    "StepChanged",
    "add",
    "cancel",
    "complete",
    "content_sha256",
    "get_for_update",
    "hand_over",
    "hold",
    "import_records",
    "ready",
    "resume",
    "save_step",
    "start",
]
