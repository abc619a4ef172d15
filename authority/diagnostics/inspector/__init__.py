"""The inspector: what something that was pasted is, whether it holds here, and if not, exactly why.

Nothing here writes or logs. A member learns of other workspaces' tokens what stands in the token, and no more.
"""
