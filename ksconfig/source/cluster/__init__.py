"""A live cluster as a source: the only place that knows the Kubernetes client."""
