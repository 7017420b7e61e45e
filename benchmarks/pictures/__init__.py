"""`make pictures`: screenshots of the desk for the documentation, taken from a running sandbox."""
