"""Who may do what: the roles, the permissions and the one page that joins them. Pure code, no table, no Django."""
