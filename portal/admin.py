"""Loads the admin page that shows all rooms: Django imports this module of each application."""

from portal.operators import consumers

__all__ = ["consumers"]
