"""Runs checks inside their container, and gives authors the fixtures to write them with."""
