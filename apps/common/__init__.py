"""What every floor uses: base model, ids, clock, request context, errors. It owns no table and announces no event."""
