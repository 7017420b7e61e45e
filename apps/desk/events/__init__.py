"""The deliveries of events."""
