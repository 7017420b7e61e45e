"""The pages of visits: the list, a visit with its eleven steps, review and signature, addenda, starting one."""

from apps.consultations.admin import visits

__all__ = ["visits"]
