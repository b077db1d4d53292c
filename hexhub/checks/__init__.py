"""Checks: one command in a container, its report, its outcome."""
