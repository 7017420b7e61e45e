"""The API of duplicates: which recorded patients may be the described person, and that two records are two people."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.patients import events, selectors, services
from apps.patients.api import examples
from apps.patients.api.serializers import requests, responses
from apps.patients.rights import Permission
from apps.patients.services import Registration
from apps.rest.endpoint import endpoint
from apps.rest.limits import RateClass
from apps.rest.viewsets import HimsViewSet


class MatchViewSet(HimsViewSet):
    """Searches before a registration. Writes nothing but the audit row."""

    resource = "patient"
    data_key = ""
    tag = "Patients"

    @endpoint(
        permission=Permission.PATIENT_MATCH,
        request=requests.PatientBody,
        response=responses.CandidatesShape,
        rate_class=RateClass.PATIENT_SEARCH,
        operation_id="matchPatient",
        example=examples.MATCH,
    )
    def match(self, request: Request) -> Response:
        """Find recorded patients who may be the same person

        Compares the data of a registration with the recorded patients and returns the likely ones, the most likely first, each
        with a score and the reasons. It takes the body of `POST /patients` and registers nothing. Restricted charts that are
        closed to the caller are left out. The audit log records the patients shown.
        """
        person = services.described_person(Registration(**self.parse()))
        matches = selectors.possible_matches(visible_to=self.by, person=person)
        self.record_access("patient.matched", shown=len(matches), patients=[str(match.patient.pk) for match in matches])
        return self.reply({"candidates": matches})


class NotSameViewSet(HimsViewSet):
    """Records that two records are two people: the pair is not suggested again."""

    resource = "patient"
    data_key = "pair"
    tag = "Patients"

    @endpoint(
        permission=Permission.PATIENT_NOT_SAME,
        request=requests.NotSameBody,
        response=responses.PairShape,
        about_patient=True,
        operation_id="tellPatientsApart",
        refusals=(services.AlreadyNotDuplicate, selectors.RecordMerged),
        events=(events.PatientsNotDuplicates,),
        example=examples.NOT_SAME,
    )
    def not_same(self, request: Request, pk: str) -> Response:
        """Record that two records are two people

        Records the decision, so that the pair is not suggested as a duplicate again. The decision applies to both records,
        whichever of them is in the path. A pair that is already decided is refused, and so is a record that was merged.
        """
        patient_id = self.id_in_path()
        pair = services.mark_not_duplicate(by=self.by, patient_id=patient_id, **self.parse())
        other_id = pair.high_id if pair.low_id == patient_id else pair.low_id
        decision = {"said_by": pair.decided_by_id, "said_at": pair.decided_at}
        return self.reply({"patient_id": patient_id, "other_id": other_id, **decision})
