from datetime import timedelta

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext, isolate_apps

from apps.common import clock
from apps.common.ids import new_id
from apps.common.models import BaseModel, ClosedQuerySet

pytestmark = pytest.mark.django_db

with isolate_apps("apps.common"):

    class Bed(BaseModel):
        ward = models.CharField(max_length=20)
        number = models.IntegerField()

        objects = ClosedQuerySet.as_manager()

        class Meta:
            app_label = "common"
            db_table = "test_bed"


@pytest.fixture
def bed(db: None) -> Bed:
    with connection.schema_editor() as editor:
        editor.create_model(Bed)
    long_ago = clock.now() - timedelta(days=1)
    return Bed.objects.create(ward="East", number=1, created_at=long_ago, updated_at=long_ago)


def test_only_the_changed_column_is_written(bed: Bed) -> None:
    Bed.objects.filter(pk=bed.pk).update(number=7)  # another writer, meanwhile
    with CaptureQueriesContext(connection) as queries:
        assert bed.amend(ward="West", number=1) == ["ward"]
    assert len(queries) == 1
    assert Bed.objects.values_list("ward", "number").get(pk=bed.pk) == ("West", 7)


def test_a_change_tells_its_time(bed: Bed) -> None:
    before = bed.updated_at
    bed.amend(ward="West")
    assert bed.updated_at > before
    assert Bed.objects.get(pk=bed.pk).updated_at == bed.updated_at
    assert Bed.objects.get(pk=bed.pk).created_at == before


def test_the_same_again_writes_nothing(bed: Bed) -> None:
    before = bed.updated_at
    with CaptureQueriesContext(connection) as queries:
        assert bed.amend(ward="East", number=1) == []
    assert not queries.captured_queries
    assert bed.updated_at == before


def test_a_model_that_says_nothing_shows_nothing(bed: Bed) -> None:
    assert not Bed.objects.visible_to(None).exists()


def test_ids_sort_by_birth() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {one.version for one in ids} == {7}


def test_an_id_tells_the_moment_of_birth() -> None:
    before = clock.now() - timedelta(milliseconds=2)
    born = new_id().int >> 80
    assert before.timestamp() * 1000 <= born <= clock.now().timestamp() * 1000
