"""The code systems over the API."""
