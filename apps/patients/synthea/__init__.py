"""Taking over patients from an extract in the Synthea form: nine gzip CSV files in one folder.

`layout` says what the files look like, `reader` reads them or says where they cannot be read, `mapping` turns rows into
registrations and chart entries (with the tables of `facts`), `loading` writes one patient a transaction, `report` keeps the rows
that found no home. The mapping is told in docs/import-synthea.md.
"""
