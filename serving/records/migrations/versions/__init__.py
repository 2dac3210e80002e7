"""Migrations, oldest first. A published one never changes."""
