"""Where objects are read and written."""
