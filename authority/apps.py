from django.apps import AppConfig


class AuthorityConfig(AppConfig):
    name = "authority"
    verbose_name = "Token authority"

    def ready(self) -> None:
        from authority import checks  # noqa: F401  # registers them
