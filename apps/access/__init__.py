"""Who may do what: roles, scopes, rights, and the one table of rights that the apps declare. Pure code, no table."""
