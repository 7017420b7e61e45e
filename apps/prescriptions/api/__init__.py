"""The API of medicines."""
