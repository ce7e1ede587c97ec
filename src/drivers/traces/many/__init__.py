"""Many traces: find their files, replay them in several processes, and summarise the results."""
