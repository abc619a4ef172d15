from django.apps import AppConfig


class AuthorityConfig(AppConfig):
    name = "authority"
    verbose_name = "Token authority"

    def ready(self) -> None:
        from authority import events  # these need the models loaded
        from authority.api.callers import read_access_token

        # These two connect receivers of session signals.
        from authority.authorization import backchannel_logout, login_sessions  # noqa: F401
        from authority.authorization.consents import revoke_of
        from authority.keys import checks  # noqa: F401  # registers system checks
        from authority.keys.signing_keys import sign_as_client
        from authority.people import person_facts
        from authority.protocol.endpoints import endpoint_urls
        from authority.telemetry import daily_counts
        from authority.tokens.token_hooks import try_hook
        from clients.onboarding.endpoints import register_endpoints
        from clients.onboarding.token_hooks import register_hook_test
        from clients.queries import register_issued_counts
        from connections.relying_party.addresses import register_jwks_uri
        from connections.relying_party.client_authentication import register_signer
        from consumers.actions.departures import register_revoker
        from consumers.activity import person_facts as facts_of_people
        from consumers.rest.callers import register_token_reader

        events.register_events()
        register_signer(sign_as_client)
        register_jwks_uri(lambda: endpoint_urls().jwks)
        register_endpoints(endpoint_urls)
        register_hook_test(try_hook)
        register_issued_counts(daily_counts.issued_since)
        register_token_reader(read_access_token)
        register_revoker(revoke_of)
        for label, fact in person_facts.FACTS.items():
            facts_of_people.register(label, fact)
