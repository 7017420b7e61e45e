"""Imports patients from an extract in the Synthea form: nine gzip CSV files in one folder.

`layout` describes the files, `reader` reads them or reports unreadable places, `mapping` turns rows into registrations and chart
entries (with the tables of `facts`), `loading` writes one patient per transaction, `report` stores the rows that were not
imported. docs/import-synthea.md describes the mapping.
"""
