"""What can be done with a visit. Read through the module: `services.start(...)`, `services.save_step(...)`."""

from apps.consultations.ports import Acknowledged
from apps.consultations.services.handing import AlreadyReady, ready
from apps.consultations.services.holding import IllegalMove, held
from apps.consultations.services.passing import AlreadyOver, cancel, hand_over, hold, resume
from apps.consultations.services.saving import EarlierStepOpen, NewSave, NotOpen, StepChanged, save_step
from apps.consultations.services.signing import Incomplete, add, complete, content_sha256
from apps.consultations.services.starting import AlreadyBegun, NewConsultation, PatientNotActive, start
from apps.consultations.services.takeover import TakenConsultation, TakenSave, take_over

__all__ = [
    "Acknowledged",
    "AlreadyBegun",
    "AlreadyOver",
    "AlreadyReady",
    "EarlierStepOpen",
    "IllegalMove",
    "Incomplete",
    "NewConsultation",
    "NewSave",
    "NotOpen",
    "PatientNotActive",
    "StepChanged",
    "TakenConsultation",
    "TakenSave",
    "add",
    "cancel",
    "complete",
    "content_sha256",
    "hand_over",
    "held",
    "hold",
    "ready",
    "resume",
    "save_step",
    "start",
    "take_over",
]
