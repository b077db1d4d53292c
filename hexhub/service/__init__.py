"""The web process: pages and API."""
