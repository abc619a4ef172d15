"""Connections on the operators' pages: their fields, domains and joining rules, and a sign-in to test them."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections import policy
from connections.actions import connections as connection_actions
from connections.actions import domains as domain_actions
from connections.actions import identities as identity_actions
from connections.admin.forms import ConnectionForm, DomainForm, NewConnectionForm, RuleForm
from connections.dns_records import expected
from connections.models import Connection, Domain, Identity, SignInMode, Source
from connections.presets import PRESETS, PresetName
from connections.relying_party.addresses import registration_addresses
from connections.relying_party.failures import SignInFailed
from connections.views import test_sign_in
from consumers.admin.base import AdminAction, AuditedAdmin, Effect
from consumers.audit import Actor
from core.admin import admin_url, badge, datetime_column, pluralize
from core.errors import Refusal

STATES = {"works": ("Works", "good"), "unreachable": ("Unreachable", "bad"), "not_tested": ("Not tested", "warn")}
SHOWN_PEOPLE = 50
SIGNED_IN = datetime_column("signed_in_at", "Last sign-in")
CLAIMS = ["name_claim", "email_claim", "verified_claim", "groups_claim", "domain_claim", "kept_claims"]
OPERATORS = ["for_operators", "operator_claim_value", "operator_group"]


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        never = Q(tested_at=None, signed_in_at=None)
        conditions = {
            "works": Q(problem="") & ~never,
            "unreachable": ~Q(problem=""),
            "not_tested": Q(problem="") & never,
        }
        chosen = conditions.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


def _verifying(domain: Domain) -> list[Effect]:
    return [
        Effect(
            f"{domain.connection} speaks for whoever has an address at {domain},",
            "when it calls the address verified: it signs in as them.",
            icon="shield-check",
            tone="bad",
        ),
        Effect(
            "Be sure that the organisation owns the domain.",
            "A DNS record proves it; else you vouch for it.",
            icon="globe",
        ),
    ]


def _unlinking(identity: Identity) -> list[str]:
    return [
        f"{identity.connection} opens the account of {identity.user} no longer, and its sessions from there end.",
        "A sign-in with a proven address of a verified domain links it again, also under a new identity.",
    ]


def _preset(request: HttpRequest) -> str | None:
    """Return the product that was chosen for a new connection."""
    chosen = request.POST.get("preset") or request.GET.get("preset")
    return chosen if chosen in PRESETS else None


@admin.register(Connection)
class ConnectionAdmin(AuditedAdmin):
    heading = "Connections"
    intro = "People sign in with their own identity provider. Identity is issuer and subject, never an email address."
    empty = "Nobody signs in by an identity provider yet. Add Okta, Entra ID, Google or any that speaks OpenID Connect."
    form = ConnectionForm
    list_display = ["name", "product", "state_badge", "available_to", "sign_in", "people", SIGNED_IN]
    list_filter = [StateFilter, "sign_in"]
    search_fields = ["name", "slug", "issuer"]
    search_help_text = "By name, issuer, domain or consumer."
    object_actions = {
        "vouch": AdminAction(
            label="Vouch for {}",
            question="Trust the connection for {}?",
            run=lambda domain, actor: domain_actions.verify_domain(domain=domain, by=f"{actor.label}", actor=actor),
            success="The connection is trusted for {}.",
            effects=_verifying,
            relation="domains",
        ),
        "check-dns": AdminAction(
            label="Check the DNS record of {}",
            run=lambda domain, actor: domain_actions.check_domain(domain=domain, actor=actor),
            success="The record is there: the connection is trusted for {}.",
            relation="domains",
        ),
        "remove-domain": AdminAction(
            label="Remove {}",
            run=lambda domain, actor: domain_actions.remove_domain(domain=domain, actor=actor),
            success="{} is removed.",
            effects=lambda domain: [
                f"People with an address at {domain} are no longer led to {domain.connection}.",
                "Accounts that are linked stay linked; new ones are not linked by such an address.",
            ],
            relation="domains",
        ),
        "delete-rule": AdminAction(
            label="Delete the rule {}",
            run=lambda rule, actor: domain_actions.delete_rule(rule=rule, actor=actor),
            success="The rule {} is deleted.",
            effects=lambda _: [
                "Whoever has joined by it leaves the workspace at their next sign-in, unless another rule keeps them."
            ],
            relation="rules",
        ),
        "unlink": AdminAction(
            label="Remove the identity of {}",
            run=lambda identity, actor: identity_actions.unlink(identity=identity, actor=actor),
            success="{}: removed.",
            effects=_unlinking,
            relation="identities",
        ),
    }

    # -- The list -----------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> Any:
        people = Identity.objects.filter(connection=OuterRef("pk")).order_by().values("connection")
        counted = Coalesce(Subquery(people.annotate(number=Count("pk")).values("number")), 0)
        return super().get_queryset(request).prefetch_related("consumers", "domains").annotate(people_in_all=counted)

    def has_word(self, word: str) -> Q:
        of_domains = Q(pk__in=Domain.objects.filter(name__icontains=word).values("connection"))
        of_consumers = Q(pk__in=Connection.objects.filter(consumers__name__icontains=word).values("pk"))
        return super().has_word(word) | of_domains | of_consumers

    @admin.display(description="Provider", ordering="preset")
    def product(self, connection: Connection) -> SafeString:
        domains = ", ".join(domain.name for domain in connection.domains.all()[:3])
        label = connection.get_preset_display()
        return format_html("{}{}", label, format_html('<br><span class="hint">{}</span>', domains) if domains else "")

    @admin.display(description="State")
    def state_badge(self, connection: Connection) -> SafeString:
        return badge(*STATES[connection.state])

    @admin.display(description="For")
    def available_to(self, connection: Connection) -> str:
        named = [consumer.name for consumer in connection.consumers.all()[:3]] or ["Every consumer"]
        return ", ".join([*named, "operators"] if connection.for_operators else named)

    @admin.display(description="People", ordering="people_in_all")
    def people(self, connection: Any) -> int:
        return int(connection.people_in_all)

    # -- Adding -------------------------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for the product first, then for what differs."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        preset = _preset(request)
        if preset is None:
            context = {
                **self.admin_site.each_context(request),
                "title": "Add a connection",
                "opts": self.opts,
                "presets": [(name, PresetName(name).label, PRESETS[name]) for name in PRESETS],
            }
            return TemplateResponse(request, "admin/connections/choose_preset.html", context)
        response: HttpResponse = super().add_view(request, form_url, {"preset": preset})
        return response

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        preset = _preset(request) or PresetName.ANY
        form = type("PresetForm", (NewConnectionForm,), {"preset": preset})
        kwargs["fields"] = NewConnectionForm.Meta.fields
        return super().get_form(request, obj, change, **kwargs | {"form": form})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            preset = _preset(request) or PresetName.ANY
            product, label = PRESETS[preset], PresetName(preset).label
            asked = [f"ask_{name}" for name in product.asks]
            given = "" if preset == PresetName.ANY else f"What {label} gives you"
            return [
                ("For whom", {"fields": [("name", "slug"), "domains", "consumers"]}),
                (
                    given or "What the provider gives you",
                    {
                        "fields": [*asked, "client_id", "client_authentication", "client_secret"],
                        "description": f"In {label}: {product.where}." if product.where else "",
                    },
                ),
            ]
        return [
            ("Connection", {"fields": ["name", "slug", "issuer"]}),
            ("How we authenticate there", {"fields": ["client_id", "client_authentication", "client_secret"]}),
            ("Sign-in", {"fields": ["sign_in", "consumers", "max_age"]}),
            (
                "Claims",
                {
                    "fields": ["scopes", *CLAIMS],
                    "description": "Which claims say what. A path goes by dots.",
                    "classes": ["collapse"],
                },
            ),
            (
                "Operators",
                {
                    "fields": OPERATORS,
                    "description": "Only an operator with full rights changes these.",
                    "classes": [] if obj.for_operators else ["collapse"],
                },
            ),
        ]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj is not None else {"slug": ["name"]}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return []
        fixed = ["slug", "issuer"]
        return fixed if request.user.is_superuser else [*fixed, *OPERATORS]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.source != Source.FILE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.source != Source.FILE)

    def save_model(self, request: HttpRequest, obj: Connection, form: Any, change: bool) -> None:
        actor, given = Actor.of(request), dict(form.cleaned_data)
        secret, consumers = given.pop("client_secret"), given.pop("consumers")
        if change:
            values = {name: value for name, value in given.items() if name in ConnectionForm.Meta.fields}
            connection_actions.update_connection(
                connection=obj, values=values, client_secret=secret or None, consumers=consumers, actor=actor
            )
            return
        obj.encrypted_client_secret = b""
        connection_actions.create_connection(connection=obj, client_secret=secret, consumers=consumers, actor=actor)
        for name in given["domains"]:
            domain_actions.add_domain(connection=obj, name=name, actor=actor)

    def save_related(self, *args: Any) -> None:
        """The action has set the consumers."""

    def response_add(self, request: HttpRequest, obj: Connection, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(request, f"{obj} is added. Register the addresses below there, then test it.")
        return redirect(admin_url(obj))

    def delete_model(self, request: HttpRequest, obj: Connection) -> None:
        connection_actions.delete_connection(connection=obj, actor=Actor.of(request))

    def deletion_effects(self, obj: Connection) -> list[str]:
        return [
            f"{pluralize(obj.identities.count(), 'person', 'people')} can sign in by it no longer, and are signed out.",
            "Their accounts and memberships stay: they get a code by email.",
            f"{pluralize(obj.rules.count(), 'joining rule is', 'joining rules are')} deleted.",
            *policy.ends_with(obj),
        ]

    # -- One connection -----------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Any, name: str) -> URLPattern:
            pattern: URLPattern = path(route, self.admin_site.admin_view(view), name=f"connections_connection_{name}")
            return pattern

        return [
            page("<uuid:pk>/test/", self.test_view, "test"),
            page("<uuid:pk>/domains/", self.add_domain_view, "add_domain"),
            page("<uuid:pk>/rules/", self.add_rule_view, "add_rule"),
            *super().get_urls(),
        ]

    def test_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Lead to the provider, and back to a page that shows what came."""
        connection = self._changeable(request, pk)
        try:
            return test_sign_in.begin(request, connection)
        except SignInFailed as failure:
            identity_actions.record_refusal(
                connection=connection, failure=failure, person=None, actor=Actor.of(request)
            )
            messages.error(request, f"{failure.words.operator} {failure.detail}")
            return redirect(admin_url(connection))

    def add_domain_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        connection = self._changeable(request, pk)
        form = DomainForm(request.POST)
        if form.is_valid():
            self._try(
                request,
                lambda: domain_actions.add_domain(
                    connection=connection, name=form.cleaned_data["domain"], actor=Actor.of(request)
                ),
                "The domain is added. Verify it, so that it counts.",
            )
        else:
            messages.error(request, "Enter a domain, such as acme.example.")
        return redirect(admin_url(connection))

    def add_rule_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        connection = self._changeable(request, pk)
        form = RuleForm(connection, request.POST)
        if form.is_valid():
            self._try(
                request,
                lambda: domain_actions.create_rule(rule=form.rule(), actor=Actor.of(request)),
                "The rule is added. It applies from the next sign-in on.",
            )
        else:
            messages.error(request, "Choose the consumer, and enter the domain or the group.")
        return redirect(admin_url(connection))

    def _changeable(self, request: HttpRequest, pk: Any) -> Connection:
        """Return the connection that a form is about. Raises PermissionDenied and Http404."""
        if not self.has_change_permission(request):
            raise PermissionDenied("Your rights let you read this page, not change it. Ask another operator.")
        if request.method != "POST":
            raise Http404
        return get_object_or_404(Connection, pk=pk)

    def _try(self, request: HttpRequest, deed: Any, success: str) -> None:
        try:
            deed()
        except Refusal as refusal:
            messages.error(request, refusal.description)
        else:
            messages.success(request, success)

    def extra_context(self, obj: Connection) -> dict[str, Any]:
        people = obj.identities.select_related("account__user").order_by("-signed_in_at")
        return {
            "state": STATES[obj.state],
            "addresses": registration_addresses(obj),
            "domains": [
                {
                    "domain": domain,
                    "record": expected(domain),
                    "check": self.action_url(obj, "check-dns", domain),
                    "vouch": self.action_url(obj, "vouch", domain),
                    "remove": self.action_url(obj, "remove-domain", domain),
                }
                for domain in obj.domains.all()
            ],
            "rules": [
                {"rule": rule, "delete": self.action_url(obj, "delete-rule", rule)}
                for rule in obj.rules.select_related("consumer")
            ],
            "people": [
                {"identity": identity, "unlink": self.action_url(obj, "unlink", identity)}
                for identity in people[:SHOWN_PEOPLE]
            ],
            "people_total": people.count(),
            "domain_form": DomainForm(auto_id="domain_%s"),
            "rule_form": RuleForm(obj, auto_id="rule_%s"),
            "is_from_file": obj.source == Source.FILE,
            "is_required": obj.sign_in == SignInMode.REQUIRED,
        }
