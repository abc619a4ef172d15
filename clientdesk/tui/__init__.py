"""`clientdesk tui`: the workspace on a terminal's screen, by keyboard alone."""
