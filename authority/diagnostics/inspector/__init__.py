"""The inspector: what a pasted text is, whether it is valid here, and if not, exactly why.

Nothing here writes or logs. Of other workspaces' tokens a member learns no more than what the token contains.
"""
