"""What operators see: request logs and Prometheus metrics."""
