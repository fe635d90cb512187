"""A project, its workspace, and the target that its loop runs on."""
