"""Monitors run when they are due; what they find is evaluated, told and decided on, until told to stop."""
