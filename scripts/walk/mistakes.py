"""Mistakes of a new user."""
MISTAKES: list = []
