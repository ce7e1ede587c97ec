"""The machine of a lease, explored: its worlds, letters and honest host."""
