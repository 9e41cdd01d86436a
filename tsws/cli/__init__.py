"""The command line: one file a command, each parses, calls the workspace and renders what comes back."""
