"""Drawings and documents that several pages share. Currently plots of measured values (`plots`), as SVG with words and a table.

Pure functions on plain values: the app owns no table, emits no events and has no endpoints.
"""
