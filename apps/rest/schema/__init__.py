"""The OpenAPI file: what the views declare, told in the envelope they answer in.

What `@endpoint` declares is read as it is; nothing is declared twice.
`operation` tells one operation, `parameters` and `replies` its two sides, `components` what all of them share, and `hooks`
puts the file together.
"""

from apps.rest.schema.operation import HimsSchema

__all__ = ["HimsSchema"]
