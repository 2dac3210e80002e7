"""Changes of the database, oldest first. Each stays as it is once it was published."""
