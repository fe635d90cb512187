"""The project on AWS: what is deployed there, in which order, and what it costs."""
