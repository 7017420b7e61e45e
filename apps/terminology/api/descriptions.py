"""What the OpenAPI file says of the values of code systems (see `apps.rest.api.descriptions`)."""

DESCRIPTIONS = {
    "code": "The code in its code system; empty without one",
    "display": "The words for the code",
    "CodeSystemOrBlank": "The code system of a code, such as ICD-10-CM; empty without a code.",
}
