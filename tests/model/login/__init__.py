"""How a login is explored: its worlds, letters, hosts, and when two logins count as equal."""
