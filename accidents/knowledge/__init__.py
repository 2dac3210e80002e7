"""What callers know of an accident: fields left out at random, for training and for measurements."""
