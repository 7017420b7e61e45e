"""Doses: amounts and units, how often and how long, the sentence that says it, and the quantity. Pure; imports no Django."""
