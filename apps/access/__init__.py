"""Who may do what: the roles, the permissions and the table that joins them. Pure code, no table in the database, no Django."""
