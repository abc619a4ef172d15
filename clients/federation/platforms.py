"""Platforms that issue workload identity tokens, and the claims that identify an owner on each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models


class PlatformName(models.TextChoices):
    GITHUB = "github", "GitHub Actions"
    GITLAB = "gitlab", "GitLab CI/CD"
    GCP = "gcp", "Google Cloud"
    AWS = "aws", "Amazon Web Services"
    AZURE = "azure", "Microsoft Entra ID"
    KUBERNETES = "kubernetes", "Kubernetes"
    SPIFFE = "spiffe", "SPIFFE"
    OIDC = "oidc", "Another OpenID Connect issuer"


@dataclass(frozen=True)
class Claim:
    """A claim that the form of a trust rule offers.

    `name` is the claim's name or, with a leading slash, a JSON Pointer (RFC 6901). `binds`: the value identifies an
    owner, so that no other owner's token has it. `lasting`: the value is never assigned to another owner.
    """

    name: str
    label: str
    example: str
    binds: bool = False
    lasting: bool = False


@dataclass(frozen=True)
class Platform:
    """A platform; `keywords` (regular expressions) and `domains` in a client's metadata suggest that it runs there.

    `reused`: the platform caches a token for several requests, so its jti cannot be used once only. `better`: claims
    to add to a rule that has no lasting claim. `narrow`: claims of which a rule should name one, and the warning for
    one that names none.
    """

    name: PlatformName
    issuer: str
    claims: tuple[Claim, ...]
    reused: bool = False
    better: str = ""
    narrow: tuple[tuple[tuple[str, ...], str], ...] = ()
    title: str = ""  # where programs run, such as AWS
    keywords: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()

    def mentioned_in(self, text: str) -> str:
        """Return the first of the keywords that the text contains, as it is written there, or ""."""
        found = re.search(rf"\b({'|'.join(self.keywords)})\b", text, re.IGNORECASE) if self.keywords else None
        return found[0] if found else ""

    def hosts(self, host: str) -> bool:
        """Whether the host is a subdomain of one of the platform's domains."""
        return any(host.endswith(f".{domain}") for domain in self.domains)


K8S = "/kubernetes.io"
AWS_CLAIMS = "/https:~1~1sts.amazonaws.com~1"

# A text or a domain is assigned to the first platform that fits: “EKS” to Kubernetes, and not to AWS.
PLATFORMS: dict[str, Platform] = {
    PlatformName.GITHUB: Platform(
        name=PlatformName.GITHUB,
        issuer="https://token.actions.githubusercontent.com",
        claims=(
            Claim("repository_id", "Repository’s ID", "74", binds=True, lasting=True),
            Claim("repository_owner_id", "Owner’s ID", "65", binds=True, lasting=True),
            Claim("repository", "Repository", "acme/billing", binds=True),
            Claim("environment", "Environment", "production"),
            Claim("ref", "Branch or tag", "refs/heads/main"),
            Claim("job_workflow_ref", "Workflow", "acme/billing/.github/workflows/deploy.yml@refs/heads/main"),
            Claim("event_name", "Event", "push"),
        ),
        better="repository_id or repository_owner_id",
        narrow=(
            (
                ("environment", "ref", "job_workflow_ref", "workflow_ref", "sub"),
                "Every workflow on every branch matches it. Name an environment or a branch.",
            ),
            (
                ("repository_id", "repository", "job_workflow_ref", "workflow_ref", "sub"),
                (
                    "Every repository of the owner matches it, also one that a colleague creates tomorrow. Add "
                    "repository_id."
                ),
            ),
        ),
        title="GitHub Actions",
        keywords=(r"github[ -]?actions?", "github workflows?", "gha"),
        domains=("github.io",),
    ),
    PlatformName.GITLAB: Platform(
        name=PlatformName.GITLAB,
        issuer="https://gitlab.com",
        claims=(
            Claim("project_id", "Project’s ID", "22", binds=True, lasting=True),
            Claim("namespace_id", "Group’s ID", "72", binds=True, lasting=True),
            Claim("project_path", "Project", "acme/billing", binds=True),
            Claim("ref", "Branch or tag", "main"),
            Claim("ref_type", "Kind of ref", "branch"),
            Claim("ref_protected", "Protected ref", "true"),
            Claim("environment", "Environment", "production"),
        ),
        better="project_id or namespace_id",
        narrow=(
            (
                ("environment", "ref", "ref_protected", "sub"),
                "Every pipeline matches it, on every branch. Name an environment or a protected branch.",
            ),
            (
                ("project_id", "project_path", "sub"),
                "Every project of the group matches it, also one that a colleague creates tomorrow. Add project_id.",
            ),
        ),
        title="GitLab CI/CD",
        keywords=(r"gitlab[ -]?ci", "gitlab"),
        domains=("gitlab.io",),
    ),
    PlatformName.KUBERNETES: Platform(
        name=PlatformName.KUBERNETES,
        issuer="https://oidc.example.com/cluster",
        claims=(
            Claim("sub", "Service account", "system:serviceaccount:billing:sync", binds=True),
            Claim(f"{K8S}/serviceaccount/uid", "Service account’s UID", "0c9f…", binds=True, lasting=True),
            Claim(f"{K8S}/namespace", "Namespace", "billing", binds=True),
            Claim(f"{K8S}/serviceaccount/name", "Service account’s name", "sync"),
        ),
        reused=True,
        narrow=(
            (
                ("sub", f"{K8S}/serviceaccount/uid", f"{K8S}/serviceaccount/name"),
                "Every service account of the namespace matches it. Name the service account.",
            ),
        ),
        title="Kubernetes",
        keywords=("kubernetes", "k8s", "helm", "eks", "gke", "aks", "openshift", "cron ?jobs?"),
    ),
    PlatformName.GCP: Platform(
        name=PlatformName.GCP,
        issuer="https://accounts.google.com",
        claims=(
            Claim("sub", "Service account’s unique ID", "104010203040506070809", binds=True, lasting=True),
            Claim("email", "Service account", "billing@acme.iam.gserviceaccount.com", binds=True),
            Claim("email_verified", "Verified", "true"),
        ),
        better="sub, the service account’s unique ID",
        title="Google Cloud",
        keywords=("google cloud", "gcp", "cloud run", "cloud functions?"),
        domains=("run.app", "appspot.com"),
    ),
    PlatformName.AWS: Platform(
        name=PlatformName.AWS,
        issuer="https://00000000-0000-0000-0000-000000000000.tokens.sts.global.api.aws",
        claims=(
            Claim("sub", "Role’s ARN", "arn:aws:iam::111122223333:role/billing", binds=True),
            Claim(f"{AWS_CLAIMS}/aws_account", "Account", "111122223333", binds=True, lasting=True),
            Claim(f"{AWS_CLAIMS}/org_id", "Organization", "o-a1b2c3d4e5", binds=True, lasting=True),
            Claim(f"{AWS_CLAIMS}/source_region", "Region", "eu-west-1"),
        ),
        narrow=(
            (("sub",), "Every role of the account or organization matches it. Name the role’s ARN as the subject."),
        ),
        title="AWS",
        keywords=("aws", "lambda", "ec2", "fargate", "ecs"),
        domains=("amazonaws.com", "awsapprunner.com"),
    ),
    PlatformName.AZURE: Platform(
        name=PlatformName.AZURE,
        issuer="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0",
        claims=(
            Claim("oid", "Object ID of the managed identity", "6e5c…", binds=True, lasting=True),
            Claim("tid", "Tenant’s ID", "72f9…", lasting=True),
            Claim("azp", "Application’s ID", "4a1b…", binds=True, lasting=True),
            Claim("sub", "Subject", "6e5c…", binds=True, lasting=True),
        ),
        narrow=(
            (
                ("oid", "sub"),
                "Whoever signs in through that application matches it, people too. Name the object ID (oid).",
            ),
        ),
        title="Azure",
        keywords=("azure",),
        domains=("azurewebsites.net", "azurecontainerapps.io"),
    ),
    PlatformName.SPIFFE: Platform(
        name=PlatformName.SPIFFE,
        issuer="spiffe://acme.example",
        claims=(Claim("sub", "SPIFFE ID", "spiffe://acme.example/billing/sync", binds=True),),
        reused=True,
    ),
    PlatformName.OIDC: Platform(
        name=PlatformName.OIDC,
        issuer="https://issuer.example.com",
        claims=(Claim("sub", "Subject", "billing-sync", binds=True),),
    ),
}


def rule_warnings(platform: str, audience: str, issuer: str, claims: Mapping[str, str]) -> list[str]:
    """Return warnings about others whose tokens could match the rule, a sentence each."""
    rules = PLATFORMS[platform]
    lasting = {claim.name for claim in rules.claims if claim.lasting}
    warnings = []
    if rules.better and not lasting & claims.keys():
        warnings.append(
            "It names its owner by names alone. Whoever registers such a name after you gave it up matches the rule: "
            f"add {rules.better}."
        )
    warnings += [sentence for names, sentence in rules.narrow if not set(names) & claims.keys()]
    if _is_pull_request(claims):
        warnings.append(
            "It is met by runs for pull or merge requests, which a stranger can open. "
            "Name a branch or an environment that only you can deploy from."
        )
    if platform == PlatformName.GITLAB and "ref" in claims and claims.get("ref_protected") != "true":
        warnings.append("Everybody who may push to the project can create such a branch. Add ref_protected: true.")
    if platform == PlatformName.KUBERNETES and _is_default_account(claims):
        warnings.append("Every pod that names no service account runs as “default”. Give the program one of its own.")
    if audience != issuer:
        warnings.append(
            f"Its audience is not this portal. Whoever receives tokens for {audience} could use them here: "
            "ask the platform for tokens issued for this portal, if it can."
        )
    return warnings


def _is_pull_request(claims: Mapping[str, str]) -> bool:
    return (
        claims.get("ref", "").startswith("refs/pull/")
        or claims.get("event_name", "").startswith("pull_request")
        or claims.get("pipeline_source", "") in ("merge_request_event", "external_pull_request_event")
        or claims.get("sub", "").endswith(":pull_request")
    )


def _is_default_account(claims: Mapping[str, str]) -> bool:
    name = claims.get(f"{K8S}/serviceaccount/name", claims.get("sub", "").rpartition(":")[2])
    return name == "default"
