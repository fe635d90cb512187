"""Values and rules, pure: no clock, disk, network, environment or random source."""
