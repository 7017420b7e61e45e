"""What the sandbox plugs into the floors below: the samples' names, and that the system is ready once the samples stand."""

from apps.rest import aliases, health
from apps.sandbox import selectors
from apps.sandbox.aliases import ALIASES

aliases.plug(ALIASES)
health.require("sample_data", selectors.laid_out)
