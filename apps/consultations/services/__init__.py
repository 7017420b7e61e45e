"""The services of consultations. Call them through the module: `services.start(...)`, `services.save_step(...)`."""

from apps.consultations.services.acknowledging import DoctorRequired
from apps.consultations.services.importing import ImportedConsultation, ImportedSave, import_records
from apps.consultations.services.locking import IllegalMove, OtherDoctorsConsultation, get_for_update
from apps.consultations.services.pause_transfer import NotOngoing, SeenByDoctor, cancel, hand_over, hold, resume
from apps.consultations.services.ready_for_doctor import AlreadyReady, OwnConsultation, ready
from apps.consultations.services.signing import ChangedSinceRead, Incomplete, add, complete, content_sha256
from apps.consultations.services.starting import AlreadyStarted, NewConsultation, OtherDoctor, PatientNotActive, start
from apps.consultations.services.steps import EarlierStepOpen, NewSave, NotOpen, StepChanged, StepForbidden, save_step
from apps.consultations.steps.ports import Acknowledged

__all__ = [
    "Acknowledged",
    "AlreadyReady",
    "AlreadyStarted",
    "ChangedSinceRead",
    "DoctorRequired",
    "EarlierStepOpen",
    "IllegalMove",
    "ImportedConsultation",
    "ImportedSave",
    "Incomplete",
    "NewConsultation",
    "NewSave",
    "NotOngoing",
    "NotOpen",
    "OtherDoctor",
    "OtherDoctorsConsultation",
    "OwnConsultation",
    "PatientNotActive",
    "SeenByDoctor",
    "StepChanged",
    "StepForbidden",
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
