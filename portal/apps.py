from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import checks, events  # need the models loaded

        events.register_events()
        checks.register()


class OperatorsConfig(admin_apps.SimpleAdminConfig):
    """Django's admin, with the operators' own site at its head; portal/urls.py collects its pages."""

    default_site = "portal.operators.site.OperatorSite"
