"""What every floor stands on: base model, ids, clock, request context, errors. It owns no table and announces nothing."""
