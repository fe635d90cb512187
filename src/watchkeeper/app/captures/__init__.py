"""Requests with their answers, and the labels that come later: brought in, read, explained, erased."""
