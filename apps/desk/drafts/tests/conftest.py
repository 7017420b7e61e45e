"""The fixtures of the tests of drafts."""

from apps.consultations.tests.conftest import colleague, staff

__all__ = ["colleague", "staff"]
