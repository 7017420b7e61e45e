"""The staff pages of medicines."""
