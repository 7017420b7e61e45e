"""Code systems: the tables of codes that the clinic's records and claims use. Currently ICD-10-CM, for diagnoses.

Reference data, the same for all users: it belongs to no patient, announces no events, and stays when the sandbox is reset.
`load_icd10` writes a release; all other code only reads (`selectors`). docs/terminology.md describes it.
"""
