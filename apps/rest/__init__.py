"""The HTTP kit: everything about the API and the admin that is not about medicine.

It contains the envelope and errors, strict JSON, paging, rate limits, the base viewset with its closed-by-default permissions,
request ids, health checks, the OpenAPI generator, the admin site and its base classes. It imports no domain app.
"""
