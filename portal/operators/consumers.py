"""Consumers on the operators' pages: their fields, permissions, people and state."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from clients.actions import apis as api_actions
from clients.actions.secret_policy import set_secret_policy
from clients.models import Client, Scope
from consumers import policy
from consumers.actions import consumers as consumer_actions
from consumers.actions import invitations as invitation_actions
from consumers.actions import members as member_actions
from consumers.activity.timeline import describe_all
from consumers.admin.base import AdminAction, AuditedAdmin
from consumers.audit import Actor
from consumers.models import Consumer, Invitation, Membership, Role
from core.admin import badge, datetime_column, pluralize
from core.errors import Refusal
from core.fields import GroupedMultipleChoiceField, JSONField
from portal.operators.suspension import resuming, suspending

SHOWN_CLIENTS = 20
TESTS = ["test_token_lifetime", "test_token_claims"]
TEST_TOKENS = "Managers create them, only for APIs that allow them. Each is marked, listed and can be revoked."
SHOWN_EVENTS = 8
SECRETS = ["secrets_allowed", "secret_days"]
LIMITS = ["access_token_lifetime", "refresh_token_lifetime"]
STORED = ["name", "slug", "external_id", "metadata", "claims", "max_clients", *LIMITS, *TESTS]


def _scope_words(scope: Scope) -> SafeString:
    described = format_html('<span class="hint">{}</span>', scope.description) if scope.description else ""
    return format_html("{} <code>{}</code> {}", scope.name, scope.value, described)


def _day(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "j M Y") if moment else ""


class ConsumerForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = GroupedMultipleChoiceField(
        queryset=Scope.objects.select_related("api"),
        group_of=lambda scope: scope.api.name,
        label_of=_scope_words,
        label="Permissions",
        empty="There are no APIs yet. Add one with its scopes, then choose here.",
    )
    emails = forms.CharField(
        label="Email addresses",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField", "autocapitalize": "none"}),
        help_text=(
            "One or many, separated by new lines, commas or semicolons. Each gets a link that is valid for a week."
        ),
    )
    role = forms.ChoiceField(
        label="Role",
        choices=[(Role.MANAGER, "Manager: may do everything in the workspace"), (Role.VIEWER, "Viewer: may only read")],
        initial=Role.MANAGER,
        required=False,
    )
    metadata = JSONField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField", "spellcheck": "false"}),
        help_text="A JSON object with anything you want to store. Only operators see it.",
    )
    claims = JSONField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField", "spellcheck": "false"}),
        help_text="A JSON object. Every access token of the consumer's clients carries it, so keep it short.",
    )

    class Meta:
        model = Consumer
        fields = [*STORED, *SECRETS]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.created_at and not self.instance._state.adding:
            self.initial["scopes"] = list(self.instance.access.live().values_list("scope_id", flat=True))
            expiring = self.instance.access.live().exclude(expires_at=None).select_related("scope").order_by("pk")
            if said := ", ".join(f"{each.scope.value} until {_day(each.expires_at)}" for each in expiring):
                self.fields["scopes"].help_text = f"{said}; what you leave ticked keeps its expiry."

    def clean_emails(self) -> list[str]:
        """Name every address that is wrong, a member already or invited already."""
        try:
            addresses = invitation_actions.parse_emails(self.cleaned_data["emails"])
        except Refusal as refusal:
            raise forms.ValidationError(refusal.description) from None
        lowered = [address.lower() for address in addresses]
        members = self.instance.memberships.values_list("user__email", flat=True)
        invited = self.instance.invitations.pending().values_list("email", flat=True)
        if known := [email for email in members if email.lower() in lowered]:
            raise forms.ValidationError(f"Joined already: {', '.join(known)}. Remove from this list.")
        if known := [email for email in invited if email.lower() in lowered]:
            raise forms.ValidationError(f"Invited already: {', '.join(known)}. Resend that invitation instead.")
        return addresses

    def clean_metadata(self) -> Any:
        return self.checked("metadata", policy.metadata)

    def clean_claims(self) -> Any:
        return self.checked("claims", policy.claims)

    def clean_test_token_claims(self) -> Any:
        return self.checked("test_token_claims", policy.allowed_test_claims)

    def checked(self, name: str, rule: Any) -> Any:
        try:
            rule(self.cleaned_data[name])
        except Refusal as refusal:
            raise forms.ValidationError(refusal.description) from None
        return self.cleaned_data[name]


def _clients(clients: QuerySet[Any]) -> str:
    return pluralize(clients.count(), "client", "clients")


def _removing(membership: Membership) -> list[str]:
    known_as = membership.user.address or membership.user.subject
    return [
        f"{membership.user} ({known_as}) can no longer enter the workspace, from the next request on.",
        "Clients and secrets that they created are kept. They may have copied secrets: rotate those that matter.",
        "Their account and their other workspaces are kept.",
    ]


def _count_of(rows: QuerySet[Any]) -> Coalesce:
    """Return the number of a consumer's rows, as an expression."""
    counted = rows.filter(consumer=OuterRef("pk")).order_by().values("consumer").annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number")), 0)


class SuspendedFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("active", "Active"), ("suspended", "Suspended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Consumer]) -> QuerySet[Consumer]:
        return queryset.filter(suspended_at__isnull=self.value() == "active") if self.value() else queryset


@admin.register(Consumer)
class ConsumerAdmin(AuditedAdmin):
    intro = "A customer, partner or service that uses your APIs. Its managers share one workspace of clients."
    empty = "Add your first consumer, and enter the email addresses of the people who will manage its clients."
    form = ConsumerForm
    list_display = [
        "name",
        "slug",
        "external_id",
        "people_count",
        "client_count",
        "condition",
        datetime_column("created_at", "Since"),
    ]
    list_filter = [SuspendedFilter]
    search_fields = ["name", "slug", "external_id"]
    search_help_text = "By name, short name, external ID, or the email address of a member or invitation."
    prepopulated_fields = {"slug": ["name"]}
    object_actions = {
        "suspend": AdminAction(
            label="Suspend {}",
            question="Suspend {}?",
            lead="Nothing is deleted. Resuming restores everything as it was.",
            run=lambda consumer, actor, reason: consumer_actions.suspend_consumer(
                consumer=consumer, actor=actor, reason=reason
            ),
            reason="Reason for its managers",
            success="{} is suspended.",
            effects=suspending,
            is_available=lambda consumer: not consumer.is_suspended,
        ),
        "resume": AdminAction(
            label="Resume {}",
            run=lambda consumer, actor: consumer_actions.resume_consumer(consumer=consumer, actor=actor),
            success="{} works again.",
            question="Resume {}?",
            lead="Everything works again as it did before.",
            effects=resuming,
            is_available=lambda consumer: consumer.is_suspended,
            is_safe=True,
        ),
        "revoke-tokens": AdminAction(
            label="Revoke all tokens of {}",
            run=lambda consumer, actor: consumer_actions.revoke_tokens(consumer=consumer, actor=actor),
            success="All tokens of the clients of {} are revoked.",
            effects=lambda consumer: [
                f"All tokens of its {_clients(consumer.clients.all())} are revoked.",
                "APIs that only check signatures, without introspection, accept a token until it expires.",
            ],
        ),
        "resend": AdminAction(
            label="Resend the invitation of {}",
            run=lambda invitation, actor: invitation_actions.resend_invitation(invitation=invitation, actor=actor),
            success="A new link is on its way to {}; the old one no longer works.",
            relation="invitations",
        ),
        "revoke-invitation": AdminAction(
            label="Revoke the invitation of {}",
            run=lambda invitation, actor: invitation_actions.revoke_invitation(invitation=invitation, actor=actor),
            success="The invitation of {} is revoked; its link no longer works.",
            relation="invitations",
        ),
        "make-manager": AdminAction(
            label="Make {} a manager",
            run=lambda member, actor: member_actions.change_role(membership=member, role=Role.MANAGER, actor=actor),
            success="{}: manager from now on.",
            relation="memberships",
        ),
        "make-viewer": AdminAction(
            label="Make {} a viewer",
            run=lambda member, actor: member_actions.change_role(membership=member, role=Role.VIEWER, actor=actor),
            success="{}: viewer from now on.",
            relation="memberships",
        ),
        "remove": AdminAction(
            label="Remove {}",
            run=lambda member, actor: member_actions.remove_member(membership=member, actor=actor),
            success="{}: removed.",
            effects=_removing,
            relation="memberships",
        ),
    }

    def get_queryset(self, request: HttpRequest) -> Any:
        """Count by subqueries, which take the consumers that are shown one by one; joins would multiply all rows."""
        return (
            super()
            .get_queryset(request)
            .annotate(
                people_in_all=_count_of(Membership.objects.all()),
                open_in_all=_count_of(Invitation.objects.pending()),
                clients_in_all=_count_of(Client.objects.all()),
            )
        )

    def has_word(self, word: str) -> Q:
        members = Membership.objects.filter(user__email__icontains=word)
        invitations = Invitation.objects.filter(email__icontains=word)
        of_people = Q(pk__in=members.values("consumer")) | Q(pk__in=invitations.values("consumer"))
        return super().has_word(word) | of_people

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        who = ("Consumer", {"fields": ["name", ("slug", "external_id")]})
        if obj is not None and not self.has_change_permission(request, obj):
            return [
                who,
                ("Permissions", {"fields": ["allowed"]}),
                ("Secrets", {"fields": SECRETS}),
                ("Test tokens", {"fields": TESTS}),
                ("Data", {"fields": ["metadata", "claims"]}),
            ]
        use = ("Permissions", {"fields": ["scopes"]})
        invite = ("Invite people", {"fields": ["emails", "role"]})
        limits = ("Tokens", {"fields": [tuple(LIMITS)]})
        clients = ("Clients", {"fields": ["max_clients"]})
        data = ("Data", {"fields": ["metadata", "claims"], "classes": ["monospace"]})
        tests = ("Test tokens", {"fields": TESTS, "description": TEST_TOKENS})
        secrets = ("Secrets", {"fields": SECRETS})
        return [who, use, invite, clients, limits, secrets, tests, data] if obj is not None else [who, use, invite]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["allowed"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj is not None else self.prepopulated_fields

    def save_model(self, request: HttpRequest, obj: Consumer, form: Any, change: bool) -> None:
        """Save the consumer, its access and its invitations, all or nothing: the view's transaction is around it."""
        actor, given = Actor.of(request), form.cleaned_data
        fields = {name: given[name] for name in STORED if name in given}
        if change:
            consumer_actions.update_consumer(consumer=obj, change=lambda _: fields, actor=actor)
            rules = {"allowed": given["secrets_allowed"], "days": given["secret_days"]}
            set_secret_policy(consumer=obj, actor=actor, **rules)
        else:
            consumer_actions.create_consumer(id=obj.pk, actor=actor, **fields)
        api_actions.set_access(consumer=obj, scopes=given["scopes"], actor=actor)
        for email in given["emails"]:
            invitation_actions.invite_manager(
                consumer=obj, email=email, role=given["role"] or Role.MANAGER, actor=actor
            )
        if given["emails"]:
            messages.info(request, f"Invitations are on their way to {', '.join(given['emails'])}.")

    def response_add(self, request: HttpRequest, obj: Consumer, post_url_continue: str | None = None) -> HttpResponse:
        """Lead to the consumer's page, which shows who is invited."""
        response = super().response_add(request, obj, post_url_continue)
        if "_addanother" in request.POST:
            return response
        return redirect("admin:consumers_consumer_change", obj.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or not obj.clients.exists())

    def delete_model(self, request: HttpRequest, obj: Consumer) -> None:
        consumer_actions.delete_consumer(consumer=obj, actor=Actor.of(request))

    def deletion_effects(self, obj: Consumer) -> list[str]:
        return [
            f"The workspace {obj.slug} is deleted, with its permissions, metadata and claims.",
            f"{pluralize(obj.memberships.count(), 'person', 'people')} lose access to it; their accounts are kept.",
            f"{pluralize(obj.invitations.pending().count(), 'invitation', 'invitations')} stop working.",
            "It has no clients, so no program stops working. Its activity is kept. This cannot be undone.",
        ]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return redirect(reverse("admin:consumers_event_changelist", query={"consumer": object_id}))

    def extra_context(self, obj: Consumer) -> dict[str, Any]:
        consumer = obj

        def to(action: str, part: Any) -> str:
            return self.action_url(consumer, action, part)

        clients = consumer.clients.all()
        return {
            "members": [
                {
                    "member": member,
                    "other_role": Role.VIEWER.label if member.is_manager else Role.MANAGER.label,
                    "change": to("make-viewer" if member.is_manager else "make-manager", member),
                    "remove": to("remove", member),
                }
                for member in consumer.memberships.select_related("user")
            ],
            "invitations": [
                {
                    "invitation": invitation,
                    "resend": to("resend", invitation),
                    "revoke": to("revoke-invitation", invitation),
                }
                for invitation in consumer.invitations.filter(accepted_at=None).select_related("invited_by")
            ],
            "clients": clients[:SHOWN_CLIENTS],
            "client_total": clients.count(),
            "activity": describe_all(consumer.events.all()[:SHOWN_EVENTS], consumer),
        }

    @admin.display(description="People", ordering="people_in_all")
    def people_count(self, consumer: Any) -> str:
        waiting = f", {consumer.open_in_all} invited" if consumer.open_in_all else ""
        return f"{consumer.people_in_all}{waiting}"

    @admin.display(description="Clients", ordering="clients_in_all")
    def client_count(self, consumer: Any) -> int:
        return consumer.clients_in_all  # type: ignore[no-any-return]

    @admin.display(description="State", ordering="suspended_at")
    def condition(self, consumer: Consumer) -> SafeString:
        return badge("Suspended", "bad") if consumer.is_suspended else badge("Active", "good")

    @admin.display(description="Permissions")
    def allowed(self, consumer: Consumer) -> SafeString | str:
        scopes = Scope.objects.select_related("api").granted_to(consumer)
        return (
            format_html_join("\n", "<p>{}: {}</p>", ((scope.api.name, _scope_words(scope)) for scope in scopes))
            or "None"
        )
