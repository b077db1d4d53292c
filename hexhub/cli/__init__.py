"""The ``hexhub`` command."""
