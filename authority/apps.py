from django.apps import AppConfig


class AuthorityConfig(AppConfig):
    name = "authority"
    verbose_name = "Token authority"

    def ready(self) -> None:
        from authority.authorization import backchannel_logout  # noqa: F401  # register checks, and ears for the end of sessions
