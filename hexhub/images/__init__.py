"""The Docker images that HexHub builds: those that it ships, and those of lessons."""
