"""The diagnosis codes and their releases."""
