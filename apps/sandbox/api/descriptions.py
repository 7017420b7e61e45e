"""What the OpenAPI file says of the values of the sandbox (see `apps.rest.api.descriptions`)."""

DESCRIPTIONS = {"Sample": "A message."}
