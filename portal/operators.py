"""The operators' admin site: Django's own, signed in to through the portal."""

from django.contrib.admin import AdminSite


class OperatorSite(AdminSite):
    site_title = "Operators"
    site_header = "Clientdesk"
    index_title = "Overview"
