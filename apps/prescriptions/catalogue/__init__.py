"""The catalogue of drugs: read from names in RxNorm's form, searched, and resolved from free text."""
