"""Generates the OpenAPI file from what the views declare with `@endpoint`. Nothing is declared twice.

`operation` describes one operation, `parameters` and `replies` its input and output, `components` what all of them share, and
`hooks` completes the file.
"""

from apps.rest.schema.operation import HimsSchema

__all__ = ["HimsSchema"]
