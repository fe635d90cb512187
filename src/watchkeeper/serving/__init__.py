"""The endpoint: model server and capture writer."""
