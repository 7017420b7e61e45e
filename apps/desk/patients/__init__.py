"""The pages of patients and their charts, the patient search on top of every page, and the counters of the start page."""
