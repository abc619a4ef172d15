"""The operators' admin site: Django's own in the portal's look, signed in to through the portal."""

from functools import wraps
from typing import Any, cast

from allauth.account.utils import get_next_redirect_url
from allauth.account.views import logout
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.text import slugify
from django.views.decorators.cache import never_cache

ROOMS = ("portal", "consumers", "connections", "clients", "authority")
# The sidebar, by what an operator comes for. Models that stand nowhere here follow under their room's name.
SECTIONS = {
    "Consumers and clients": ["Consumer", "Client"],
    "Sign-in": ["Connection", "Directory"],
    "APIs": ["Api", "RoleGrant", "TrustedIssuer"],
    "Dynamic client registration": ["OpenRegistration", "DocumentHost", "SoftwareIssuer"],
    "Activity and mail": ["Event", "Message", "SigningKey"],
    "Operators": ["User", "Group"],
}


class OperatorSite(AdminSite):
    site_title = "Operators"
    index_title = "Overview"
    site_url = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.disable_action("delete_selected")  # what is deleted is looked at first, one by one

    def register(self, model_or_iterable: Any, admin_class: type[Any] | None = None, **options: Any) -> None:
        """Take in the pages of our own rooms; other packages' would show tokens and factors as raw rows."""
        if admin_class is not None and admin_class.__module__.split(".")[0] in ROOMS:
            super().register(model_or_iterable, admin_class, **options)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if any("\0" in text for name, values in request.GET.lists() for text in (name, *values)):
                raise BadRequest("PostgreSQL holds no NUL, so no filter can mean it.")
            return view(request, *args, **kwargs)

        return super().admin_view(checked, cacheable)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"site_header": settings.PORTAL_NAME}

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the portal's sign-in, with its codes, passkeys and second factors (ASVS 5.0, 6.3.4)."""
        target = get_next_redirect_url(request) or reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(target)
        if request.user.is_authenticated:
            raise PermissionDenied(
                f"These pages are for the portal's operators. {request.user.address or request.user} is none."
            )
        return redirect_to_login(target)

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return logout(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("account_change_password")

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        from core.demo import is_demo  # the site is made before the models are
        from portal.dashboard.overview import overview

        return super().index(request, {"overview": overview(self, request), "is_demo": is_demo()})

    def get_urls(self) -> list[Any]:
        from authority.views.inspector import before_csrf  # the site is made before the models are

        # Its two parts may both hold slashes: to find no match takes the square of what a stranger's path is long.
        served = [each for each in super().get_urls() if getattr(each, "name", "") != "view_on_site"]
        return [
            path("inspect/", self.admin_view(before_csrf(self.inspector)), name="inspector"),
            path("requests/", self.admin_view(self.requests), name="requests"),
            path("requests/<slug:kind>/<uuid:request_id>/", self.admin_view(self.requests), name="request"),
            path("security/", never_cache(self.security), name="security"),
            path("consumers/event/verify/", self.admin_view(self.verify_record), name="consumers_event_verify"),
            path("consumers/event/head/", self.admin_view(self.export_head), name="consumers_event_head"),
            path("consumers/event/evidence/", self.admin_view(self.export_evidence), name="consumers_event_evidence"),
            path("consumers/event/chain/", self.admin_view(self.start_chain), name="consumers_event_chain"),
            *served,
        ]

    def security(self, request: HttpRequest) -> HttpResponse:
        """Offer a passkey and an authenticator app to an operator who has neither, and may go on with one."""
        from consumers import sensitive_operations  # the site is made before the models are
        from consumers.models import User
        from core.demo import is_demo

        if not self.has_permission(request):
            return self.login(request)
        user = cast(User, request.user)
        if user.holds_second_factor:
            return redirect("admin:index")
        context = self.each_context(request) | {
            "title": "Set up a second factor",
            "is_nav_sidebar_enabled": False,
            "is_demo": is_demo(),
            "is_recent": sensitive_operations.is_recent(request, user),
            "idle_minutes": settings.OPERATOR_SESSION_IDLE // 60,
            "max_hours": settings.OPERATOR_SESSION_MAX // 3600,
        }
        return render(request, "admin/security.html", context)

    def requests(self, request: HttpRequest, kind: str = "", request_id: Any = None) -> HttpResponse:
        from portal.operators import requests  # the site is made before the models are

        answer: HttpResponse = requests.listing(request, self.each_context(request), kind, request_id)
        return answer

    def verify_record(self, request: HttpRequest) -> HttpResponse:
        from portal.operators import record  # the site is made before the models are

        return record.verify(request, self.each_context(request))

    def export_head(self, request: HttpRequest) -> HttpResponse:
        from portal.operators import record  # the site is made before the models are

        return record.export_head(request)

    def export_evidence(self, request: HttpRequest) -> HttpResponseBase:
        from portal.operators import record  # the site is made before the models are

        return record.export_evidence(request)

    def start_chain(self, request: HttpRequest) -> HttpResponse:
        from portal.operators import record  # the site is made before the models are

        return record.start_chain(request, self.each_context(request))

    def inspector(self, request: HttpRequest) -> HttpResponse:
        """Inspect a token of any workspace, for operators who may read clients."""
        from authority.diagnostics.inspector.report import Viewer  # the site is made before the models are
        from authority.views.inspector import respond

        if not request.user.has_perm("clients.view_client"):
            raise PermissionDenied("Ask an operator with full rights for the right to view clients.")
        context = self.each_context(request) | {"title": "Inspect a token"}
        return respond(request, Viewer(), "admin/inspector.html", context)

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        return redirect("admin:index")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        rooms = self._build_app_dict(request, app_label)
        models = {model["object_name"]: model for room in rooms.values() for model in room["models"]}
        for model in models.values():
            model["name"] = getattr(self.get_model_admin(model["model"]), "heading", "") or model["name"]
        sections = []
        for title, names in SECTIONS.items():
            if found := [models.pop(name) for name in names if name in models]:
                sections.append(_section(title, found))
        for room in rooms.values():
            if rest := [model for model in room["models"] if model["object_name"] in models]:
                sections.append(_section(room["name"], rest))
        return sections


def _section(title: str, models: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a part of the sidebar in the shape that Django's templates read."""
    return {
        "name": title,
        "app_label": slugify(title),
        "app_url": f"{reverse('admin:index')}#models",
        "has_module_perms": True,
        "models": models,
    }
