"""A plugin of pytest's that is loaded before the settings are: it starts the database that they name."""

from portal.startup import prepare

prepare()
