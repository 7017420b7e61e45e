"""The admin site: the staff's desk."""

from django.contrib.admin import AdminSite


class HimsAdminSite(AdminSite):
    site_header = "HIMS"
    site_title = "HIMS"
    index_title = "Records"
