"""Files judged by themselves, without a project."""
