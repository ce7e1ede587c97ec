"""``loginmachine replay`` with many traces: progress, a table, JSON lines, and a report with pictures."""
