"""The edit distance of words, for searches that nothing fits as they are spelt."""

from django.contrib.postgres.operations import CreateExtension
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("terminology", "0002_search_words")]

    operations = [CreateExtension("fuzzystrmatch")]
