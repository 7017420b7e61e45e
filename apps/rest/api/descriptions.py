"""What the OpenAPI file says of the values that every app has, and of the kit's own replies.

A name in lower case describes every property of that name, `Component.property` one property, and a name in upper case the
component itself. A `help_text` or a docstring comes first.
"""

DESCRIPTIONS = {
    # Every resource
    "id": "The id of the row, a UUID that never changes",
    "created_at": "When the row was created",
    "updated_at": "When the row was last changed",
    "notify_patient": "Whether the patient gets a message about it; true by default",
    # Replies and errors
    "pagination": "Where this page is in the list",
    "message": "A sentence for people; its wording may change",
    "Warning.code": "What the notice is about, for programs; each operation lists its codes",
    "Warning.field": "The field of the request that the notice is about",
    "ErrorDetails.errors": "Of a VALIDATION_ERROR: every field at fault",
    "ErrorDetails.issue": "The sentence about the field, or a code for programs where `reason` says so",
    "FieldIssue.field": "The field; `a.b[2].c` names a field inside",
    "FieldIssue.issue": "What is wrong with it and what to do",
    "ErrorInfo.timestamp": "When the request was refused",
    "request_id": "The id of the request, as in the header X-Request-ID",
    "Pagination.page": "The number of this page, from 1",
    "Pagination.limit": "Rows a page; at most 100",
    "Pagination.total": "The rows of the whole list; see `total_is_estimate`",
    "Pagination.pages": "The number of pages; 0 for an empty list",
    "ErrorInfo": "What was refused, and why.",
    "FieldIssue": "One field at fault.",
    "Pagination": "Where a page is in its list.",
    # Version and index
    "Version.environment": "The kind of installation: sandbox, development, staging or production",
    "Version.time": "The time of the server",
    "Version": "The version of the product and of the API.",
    "Index": "Where the API begins.",
    "IndexLinks": "The addresses to begin with.",
}
