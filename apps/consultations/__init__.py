"""The 11-step visit: started, saved step by step, resumed anywhere, signed once, and from then on only added to.

Standard, quick and adaptive visits; for adaptive ones a versioned table of rules says what a visit needs and what is to be
asked (`adaptive`, not reviewed by a clinician). What a doctor signs goes into the patient's chart in the same transaction.
It announces: consultation started, step saved, completed, amended, held, resumed, cancelled, handed over.
"""
