"""Products that people connect, and what differs between them: where the issuer is, and what its claims are named.

Facts are from the products' own documentation, which docs/connections/ names page by page.
"""

import re
from dataclasses import dataclass, field

from django.db import models


class PresetName(models.TextChoices):
    OKTA = "okta", "Okta"
    AUTH0 = "auth0", "Auth0"
    ENTRA = "entra", "Microsoft Entra ID"
    GOOGLE = "google", "Google Workspace"
    KEYCLOAK = "keycloak", "Keycloak"
    PING = "ping", "PingOne"
    ANY = "any", "Any other"


@dataclass(frozen=True, kw_only=True)
class Preset:
    """What one product asks its customers to look up, and how the issuer and the claims follow from it.

    `asks` are the labels of what is asked, by name; `issuer` is the template that they fill. `verified_claim` is the
    claim that says whether the e-mail address is proven, "" where the product sends none. `domain_claim` must be one of
    the connection's domains in each ID token, for issuers that all customers of the product share.
    """

    initials: str
    hint: str
    asks: dict[str, str]
    issuer: str
    examples: dict[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    groups_claim: str = "groups"
    verified_claim: str = "email_verified"
    domain_claim: str = ""
    reauthenticates: bool = True
    where: str = ""


PRESETS: dict[str, Preset] = {
    PresetName.OKTA: Preset(
        initials="Ok",
        hint="Your Okta domain",
        asks={"domain": "Okta domain"},
        examples={"domain": "acme.okta.com"},
        issuer="https://{domain}",
        scopes=("openid", "profile", "email", "groups"),
        where="Applications › Create App Integration › OIDC › Web Application",
    ),
    PresetName.AUTH0: Preset(
        initials="A0",
        hint="Your tenant’s domain",
        asks={"domain": "Tenant domain"},
        examples={"domain": "acme.eu.auth0.com"},
        issuer="https://{domain}/",
        groups_claim="https://clientdesk/groups",
        where="Applications › Create Application › Regular Web Application",
    ),
    PresetName.ENTRA: Preset(
        initials="En",
        hint="Your tenant’s ID",
        asks={"tenant": "Tenant ID"},
        examples={"tenant": "72f988bf-86f1-41af-91ab-2d7cd011db47"},
        issuer="https://login.microsoftonline.com/{tenant}/v2.0",
        verified_claim="xms_edov",
        where="App registrations › New registration › Web",
    ),
    PresetName.GOOGLE: Preset(
        initials="Go",
        hint="Nothing to look up",
        asks={},
        issuer="https://accounts.google.com",
        groups_claim="",
        domain_claim="hd",
        reauthenticates=False,
        where="APIs & Services › Credentials › Create OAuth client ID › Web application",
    ),
    PresetName.KEYCLOAK: Preset(
        initials="Kc",
        hint="Address and realm",
        asks={"host": "Address", "realm": "Realm"},
        examples={"host": "login.acme.example", "realm": "staff"},
        issuer="https://{host}/realms/{realm}",
        where="Clients › Create client › OpenID Connect, Client authentication on",
    ),
    PresetName.PING: Preset(
        initials="Pi",
        hint="Region and environment ID",
        asks={"host": "Authentication host", "environment": "Environment ID"},
        examples={"host": "auth.pingone.eu", "environment": "2b1c8f0e-…"},
        issuer="https://{host}/{environment}/as",
        groups_claim="memberOfGroupNames",
        where="Applications › Add › OIDC Web App",
    ),
    PresetName.ANY: Preset(
        initials="ID",
        hint="Issuer address",
        asks={"issuer": "Issuer"},
        examples={"issuer": "https://login.acme.example"},
        issuer="{issuer}",
    ),
}

# What may be typed into a template: no character that would lead to another host or path.
PART = re.compile(r"[A-Za-z0-9._-]{1,150}")
HOST = re.compile(r"[A-Za-z0-9.-]{1,150}(:[0-9]{1,5})?(/[A-Za-z0-9._-]{1,50}){0,3}")
