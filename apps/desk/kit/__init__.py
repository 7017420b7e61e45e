"""What all pages of the desk share: the site, its base classes, forms, row actions and panels."""
