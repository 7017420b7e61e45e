"""The 11-step consultation: started, saved step by step, resumed at any step, signed once, and afterwards only amended.

There are standard, quick and adaptive consultations. For adaptive ones a versioned table of rules determines the required steps
and the questions (`adaptive`, not reviewed by a clinician). A signature writes the results to the patient's chart in the same
transaction. The app announces: consultation started, step saved, completed, amended, on hold, resumed, cancelled, handed over.
"""
