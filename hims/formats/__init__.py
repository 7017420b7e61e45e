"""How pages write dates, by language (Django's FORMAT_MODULE_PATH)."""
