"""Filters of the developer pages."""
