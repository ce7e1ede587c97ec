"""Sign a person in through their browser."""
