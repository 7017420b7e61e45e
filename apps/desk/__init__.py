"""The desk: the pages of the staff, on Django's admin site.

It owns no table and emits no event: its pages call the services and selectors of the domains. `kit` has what the pages share: the
site with our rules, base classes, forms, row actions and panels. Each domain has a folder, and `admin` puts them together.
"""
