"""The pages of consultations: the list, one with its eleven steps, review and signature, addenda, starting one."""
