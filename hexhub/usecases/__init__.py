"""One verb a module; the only rooms that join catalog, checks, progress and events."""
