"""Code systems: the tables of codes that the clinic's records and claims are written in. Here ICD-10-CM, the diagnoses.

Reference data, the same for everybody: no patient's, announced to nobody, kept when the sandbox is reset. `load_icd10` writes a
release, everybody else only reads (`selectors`). docs/terminology.md tells the whole.
"""
