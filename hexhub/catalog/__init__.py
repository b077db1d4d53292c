"""What there is to learn: courses, lessons, steps; read from disk, published to disk."""
