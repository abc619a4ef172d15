"""The screens of `clientdesk tui`, for the keyboard alone."""
