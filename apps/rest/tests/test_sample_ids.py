"""Ids in paths and queries, and names that stand for them."""

from uuid import UUID

import pytest

from apps.common.errors import Invalid, NotFound
from apps.rest import sample_ids

ID = UUID("01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44")
NO_IDS = ["", "1", "lamp_002", ID.hex, f"{{{ID}}}", f"urn:uuid:{ID}", str(ID)[:-1], f"{ID} ", "x" * 36, "-" * 36, "é" * 36]


@pytest.fixture(autouse=True)
def lamp_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_ids, "_names", {})
    sample_ids.register({"lamp_001": ID})


@pytest.mark.parametrize("text", [str(ID), str(ID).upper(), "lamp_001"])
def test_an_id_and_a_registered_name_lead_to_the_row(text: str) -> None:
    assert sample_ids.resolve(text) == sample_ids.in_path(text) == sample_ids.in_query(text, "lamp_id") == ID


@pytest.mark.parametrize("text", NO_IDS)
def test_anything_else_is_not_found_in_a_path_and_refused_by_name_in_a_query(text: str) -> None:
    assert sample_ids.resolve(text) is None
    with pytest.raises(NotFound):
        sample_ids.in_path(text)
    with pytest.raises(Invalid) as refusal:
        sample_ids.in_query(text, "lamp_id")
    assert refusal.value.details["field"] == "lamp_id"
