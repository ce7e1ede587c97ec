"""How a refresh is explored: its worlds, letters and hosts."""
