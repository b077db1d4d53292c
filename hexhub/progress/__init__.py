"""How far a student has come: attempts, steps, hints, and the queue of checks."""
