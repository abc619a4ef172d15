from django.apps import AppConfig


class ConsumersConfig(AppConfig):
    name = "consumers"
    verbose_name = "Consumers and people"

    def ready(self) -> None:
        from allauth.mfa.signals import authenticator_added

        from consumers import events  # needs the models loaded
        from consumers.accounts import mailed_codes
        from consumers.accounts.recent_authentication import record_new_factor
        from consumers.credentials import personal_tokens, register_credentials
        from consumers.rest import callers

        events.register_events()
        callers.register_token_reader(callers.read_personal_token)
        register_credentials(personal_tokens)
        authenticator_added.connect(record_new_factor)
        mailed_codes.connect_signals()
