"""Proves what a student's machine cannot reach or do, by trying it from inside such a machine."""
