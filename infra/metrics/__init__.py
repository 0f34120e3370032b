"""What a running worker or learner tells of itself: metrics for Prometheus, and whether it is alive and ready."""
