"""The API of the drug knowledge: the interactions that the safety checks know."""

from dataclasses import asdict

from rest_framework.request import Request
from rest_framework.response import Response

from apps.prescriptions.api import examples
from apps.prescriptions.api.filters import InteractionFilter
from apps.prescriptions.api.serializers import InteractionShape
from apps.prescriptions.rights import Permission
from apps.prescriptions.safety import selectors
from apps.rest import paging
from apps.rest.endpoint import endpoint
from apps.rest.viewsets import HimsViewSet


class InteractionViewSet(HimsViewSet):
    """The interactions that the safety checks know. They are not all that exist."""

    resource = "interaction"
    plural = "interactions"
    tag = "Pharmacy"
    extra = {
        "knowledge_base": {
            "type": "object",
            "description": "Which knowledge this is.",
            "properties": {
                "name": {"type": "string", "description": "Its name"},
                "version": {"type": "string", "description": "The version; each change makes another one"},
                "rows": {"type": "integer", "description": "How many entries are in force"},
                "reviewed": {"type": "integer", "description": "How many of them a clinician has reviewed"},
                "scope": {"type": "string", "description": "What it does not claim to be"},
            },
        }
    }

    @endpoint(
        permission=Permission.INTERACTION_VIEW,
        query=InteractionFilter,
        response=InteractionShape,
        operation_id="listInteractions",
        example=examples.INTERACTIONS,
    )
    def list(self, request: Request) -> Response:
        """List the known interactions

        Returns the pairs of drugs and classes that the safety checks know, each with its severity, effect and source, ordered by
        their names. With `drug` only those of one ingredient, by its generic name, and of its classes. `knowledge_base` says
        which version this is, and that it is not exhaustive: a pair that is not listed was not looked at. A row without
        `reviewed_at` was not reviewed by a clinician.
        """
        query = self.validated_query()
        rows = selectors.interactions(visible_to=self.by, drug=query.get("drug") or "")
        page = paging.page_of(rows, self.window, paging.capped if query else paging.exact)
        return self.page(page, knowledge_base=asdict(selectors.knowledge_base()))
