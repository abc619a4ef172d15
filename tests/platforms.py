"""A local issuer that mints the tokens of each platform, in their real shape."""

import time
import uuid
from typing import Any

from tests.publisher import Publisher
from tests.signing import KeyPair

GITHUB = {
    "jti": "uuid",
    "sub": "repo:acme/billing:environment:production",
    "environment": "production",
    "ref": "refs/heads/main",
    "sha": "7e0a1c3a9f",
    "repository": "acme/billing",
    "repository_owner": "acme",
    "actor_id": "12",
    "repository_visibility": "private",
    "repository_id": "74",
    "repository_owner_id": "65",
    "run_id": "577902874",
    "run_number": "10",
    "run_attempt": "2",
    "runner_environment": "github-hosted",
    "actor": "octocat",
    "workflow": "deploy",
    "workflow_ref": "acme/billing/.github/workflows/deploy.yml@refs/heads/main",
    "workflow_sha": "7e0a1c3a9f",
    "head_ref": "",
    "base_ref": "",
    "event_name": "push",
    "ref_protected": "true",
    "ref_type": "branch",
    "job_workflow_ref": "acme/billing/.github/workflows/deploy.yml@refs/heads/main",
    "job_workflow_sha": "7e0a1c3a9f",
}
GITLAB = {
    "jti": "uuid",
    "namespace_id": "72",
    "namespace_path": "acme",
    "project_id": "20",
    "project_path": "acme/billing",
    "user_id": "1",
    "user_login": "sample-user",
    "user_email": "sample-user@example.com",
    "user_access_level": "developer",
    "pipeline_id": "574",
    "pipeline_source": "push",
    "job_id": "302",
    "ref": "main",
    "ref_type": "branch",
    "ref_path": "refs/heads/main",
    "ref_protected": "true",
    "environment": "production",
    "environment_protected": "true",
    "deployment_tier": "production",
    "runner_id": 1,
    "runner_environment": "self-hosted",
    "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
    "project_visibility": "public",
    "ci_config_ref_uri": "gitlab.example/acme/billing//.gitlab-ci.yml@refs/heads/main",
    "sub": "project_path:acme/billing:ref_type:branch:ref:main",
}
GCP = {
    "azp": "104010203040506070809",
    "email": "billing@acme.iam.gserviceaccount.com",
    "email_verified": True,
    "sub": "104010203040506070809",
}
AWS = {
    "jti": "uuid",
    "sub": "arn:aws:iam::111122223333:role/billing",
    "https://sts.amazonaws.com/": {
        "aws_account": "111122223333",
        "source_region": "eu-west-1",
        "principal_id": "arn:aws:iam::111122223333:role/billing",
        "org_id": "o-a1b2c3d4e5",
    },
}
AZURE = {
    "aio": "k2RgYJh5zPbRjy3v",
    "azp": "4a1b2c3d-0000-4000-8000-000000000001",
    "azpacr": "2",
    "oid": "6e5c4b3a-0000-4000-8000-000000000002",
    "rh": "1.AXkA",
    "sub": "6e5c4b3a-0000-4000-8000-000000000002",
    "tid": "72f988bf-0000-4000-8000-000000000003",
    "uti": "v1ofIwDmF0eXqf",
    "ver": "2.0",
}
KUBERNETES = {
    "jti": "uuid",
    "sub": "system:serviceaccount:billing:sync",
    "kubernetes.io": {
        "namespace": "billing",
        "node": {"name": "node-1", "uid": "9a8b"},
        "pod": {"name": "sync-5d4f", "uid": "7c6d"},
        "serviceaccount": {"name": "sync", "uid": "0c9f"},
    },
}
SPIFFE = {"iss": None, "sub": "spiffe://acme.example/billing/sync"}
OIDC = {"jti": "uuid", "sub": "billing-sync", "groups": ["a", "b"]}

# Platform: claims, whether aud is a list, algorithm, seconds that a token lives.
SHAPES: dict[str, tuple[dict[str, Any], bool, str, int]] = {
    "github": (GITHUB, False, "RS256", 300),
    "gitlab": (GITLAB, False, "RS256", 3600),
    "gcp": (GCP, False, "RS256", 3600),
    "aws": (AWS, False, "ES384", 300),
    "azure": (AZURE, False, "RS256", 86_400),
    "kubernetes": (KUBERNETES, True, "RS256", 3600),
    "spiffe": (SPIFFE, True, "ES256", 300),
    "oidc": (OIDC, False, "EdDSA", 600),
}
# What a careful manager would ask of each.
RULES: dict[str, dict[str, str]] = {
    "github": {"repository_id": "74", "repository_owner_id": "65", "environment": "production"},
    "gitlab": {"project_id": "20", "ref": "main", "ref_protected": "true"},
    "gcp": {"sub": "104010203040506070809", "email_verified": "true"},
    "aws": {
        "sub": "arn:aws:iam::111122223333:role/billing",
        "/https:~1~1sts.amazonaws.com~1/aws_account": "111122223333",
    },
    "azure": {"oid": "6e5c4b3a-0000-4000-8000-000000000002", "tid": "72f988bf-0000-4000-8000-000000000003"},
    "kubernetes": {"sub": "system:serviceaccount:billing:sync", "/kubernetes.io/serviceaccount/uid": "0c9f"},
    "spiffe": {"sub": "spiffe://acme.example/billing/sync"},
    "oidc": {"sub": "billing-sync"},
}
KEYS = {algorithm: KeyPair(algorithm, f"outside {algorithm}") for _, _, algorithm, _ in SHAPES.values()}


class Outside:
    """One platform's issuer, with discovery and keys at a loopback address."""

    def __init__(self, platform: str, publisher: Publisher):
        self.platform = platform
        self.claims, self.listed, algorithm, self.seconds = SHAPES[platform]
        self.key = KEYS[algorithm]
        self.publisher = publisher
        keys = publisher.publish(f"/{platform}/keys", self.key.jwks)
        if platform == "spiffe":
            self.issuer, self.jwks_uri = "spiffe://acme.example", keys
            publisher.publish(f"/{platform}/keys", {"keys": [self.key.jwk | {"use": "jwt-svid"}]})
        else:
            self.issuer, self.jwks_uri = f"{publisher.url}/{platform}", ""
            document = {"issuer": self.issuer, "jwks_uri": keys, "id_token_signing_alg_values_supported": [algorithm]}
            publisher.publish(f"/{platform}/.well-known/openid-configuration", document)

    def token(self, audience: str, headers: dict[str, Any] | None = None, key: KeyPair | None = None, **changes: Any):
        """Return a token as the platform mints it; a claim that is None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": [audience] if self.listed else audience,
            "iat": now,
            "nbf": now - 5,
            "exp": now + self.seconds,
        }
        claims |= self.claims
        if claims.get("jti"):
            claims["jti"] = str(uuid.uuid4())
        return (key or self.key).sign(claims | changes, **(headers or {}))
