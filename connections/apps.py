from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    name = "connections"
    verbose_name = "Connections to identity providers"

    def ready(self) -> None:
        from connections import events  # these need the models loaded
        from connections.accounts import requirement, sessions  # noqa: F401  # connects receivers of session signals
        from connections.accounts.offers import offers_for
        from consumers.access import register_entry_check
        from consumers.views.invitations import register_offers

        events.register_events()
        register_entry_check(requirement.check_entry)
        register_offers(offers_for)
