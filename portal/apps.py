from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class PortalConfig(AppConfig):
    name = "portal"


class OperatorsConfig(admin_apps.AdminConfig):
    """Django's admin, with the operators' own site at its head."""

    default = False
    default_site = "portal.operators.OperatorSite"
