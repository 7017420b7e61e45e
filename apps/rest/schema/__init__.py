"""The OpenAPI file: what the views declare, told in the envelope they answer in.

A view's `needs`, `bodies`, `queries`, `replies`, `warns` and `examples` are read as they are; nothing is written down twice.
`operation` tells one operation, `parameters` and `replies` its two sides, `components` what all of them share, and `hooks`
puts the file together.
"""

from apps.rest.schema.examples import Example
from apps.rest.schema.operation import HimsSchema

__all__ = ["Example", "HimsSchema"]
