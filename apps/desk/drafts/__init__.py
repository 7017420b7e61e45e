"""Unsaved text of staff forms: stored on the server by person and form, offered again when the form is opened."""
