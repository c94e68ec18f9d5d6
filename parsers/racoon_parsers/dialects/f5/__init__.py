"""F5 BIG-IP: racoon's own files, with rows of its own."""
