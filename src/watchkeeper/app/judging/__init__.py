"""Rows of a model version held against its baseline: one judge a monitor."""
