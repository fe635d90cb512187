"""Prometheus and Alertmanager beside us, configured from the project file."""
