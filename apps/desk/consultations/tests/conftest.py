"""The fixtures of the visits’ own tests."""

from apps.consultations.tests.conftest import colleague, staff

__all__ = ["colleague", "staff"]
