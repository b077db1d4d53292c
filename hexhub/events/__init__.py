"""What happened, in the past tense: schemas, outbox, shipping."""
