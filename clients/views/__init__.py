"""The pages of a workspace's clients."""
