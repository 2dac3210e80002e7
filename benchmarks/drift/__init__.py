"""Power and false alarms of monitoring."""
