"""The API of the catalogue: search drugs, read one, add and change them."""

from dataclasses import replace
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.prescriptions import events
from apps.prescriptions.api import examples
from apps.prescriptions.api.filters import DrugFilter
from apps.prescriptions.api.serializers import ChangeDrugBody, DrugShape, NewDrugBody
from apps.prescriptions.catalogue import search, selectors
from apps.prescriptions.catalogue.services import keeping
from apps.prescriptions.catalogue.services.keeping import NewDrug
from apps.prescriptions.models import Drug
from apps.prescriptions.rights import Permission
from apps.rest import paging
from apps.rest.endpoint import endpoint
from apps.rest.viewsets import HimsViewSet


class DrugViewSet(HimsViewSet):
    """The catalogue of drugs."""

    resource = "drug"
    plural = "drugs"
    tag = "Pharmacy"
    extra = {"fuzzy": {"type": "boolean", "description": "True if nothing matched and drugs of similar spellings are shown"}}

    @endpoint(
        permission=Permission.DRUG_VIEW,
        query=DrugFilter,
        response=DrugShape,
        operation_id="searchDrugs",
        example=examples.LIST,
    )
    def list(self, request: Request) -> Response:
        """Search the drugs

        Finds the drugs that have a word which begins so for every word of the search: generic name, brand, strength or form. A
        misspelt word is read as the most similar one; `fuzzy` is then true, and a client must not choose a row by itself. Drugs
        whose name begins with the search come first. Capitals in a name show where look-alike names differ. Without a search all
        drugs that can be prescribed are listed by name.
        """
        query = self.validated_query()
        text = query.get("search") or ""
        result = search.find(visible_to=self.by, text=text, with_not_offered=bool(query.get("include_not_offered")))
        page = paging.page_of(result.rows, self.window, paging.capped if text else paging.exact)
        return self.page(replace(page, rows=selectors.details(page.rows)), fuzzy=result.fuzzy)

    @endpoint(permission=Permission.DRUG_VIEW, response=DrugShape, etag=True, example=examples.READ)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a drug

        Returns one drug of the catalogue with its ingredients, their strengths and their classes, and its version in `ETag`. A
        drug that is no longer offered can still be read, because old prescriptions refer to it.
        """
        drug = selectors.drug(self.by, self.id_in_path())
        return self.reply(drug, version=drug.row.updated_at)

    @endpoint(
        permission=Permission.DRUG_KEEP,
        request=NewDrugBody,
        response=DrugShape,
        etag=True,
        refusals=(keeping.DrugExists,),
        events=(events.DrugAdded,),
        example=examples.ADD,
    )
    def create(self, request: Request) -> Response:
        """Add a drug

        Adds a drug to the catalogue. Strength, form, route and the unit it is counted in are read from `name`, which has the form
        of RxNorm: each ingredient with its strength, then the dose form. Name the `ingredients` where the name has only a brand.
        A name or RxCUI that the catalogue already has is refused.
        """
        row = keeping.add_drug(by=self.by, new=NewDrug(**self.parse()))
        return self._reply(row, location=f"/v1/pharmacy/drugs/{row.pk}")

    @endpoint(
        permission=Permission.DRUG_KEEP,
        request=ChangeDrugBody,
        response=DrugShape,
        etag=True,
        events=(events.DrugChanged,),
        example=examples.CHANGE,
    )
    def update(self, request: Request, pk: str) -> Response:
        """Change a drug

        Changes the brands, the schedule, the use, or whether the drug is offered; absent fields stay as they are, and a request
        that changes nothing announces nothing. Strength and form never change: another strength is another drug. A drug without a
        dose form or an ingredient cannot be offered.
        """
        return self._reply(keeping.change_drug(by=self.by, drug_id=self.id_in_path(), changes=self.parse()))

    def get_for_update(self) -> tuple[dict[str, Any], object]:
        drug = selectors.drug(self.by, self.id_in_path())
        Drug.objects.select_for_update().get(pk=drug.row.pk)
        return self.represent(drug), drug.row.updated_at

    def _reply(self, row: Drug, *, location: str = "") -> Response:
        return self.reply(selectors.details([row])[0], version=row.updated_at, location=location)
