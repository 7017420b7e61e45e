"""The safety checks of medicines: allergies, interactions, duplicates, doses, pregnancy and kidneys.

`engine.check` is one pure function of the new lines, the chart and the knowledge. What it could not check it says
(`not_checked`); it never shows that as safe. The knowledge is a table of rows with their sources; no clinician has reviewed it.
"""
