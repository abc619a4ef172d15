"""Rules for the claims, audiences and lifetime of a workload's identity tokens."""

import re

from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.vocabulary import AuthMethod, EnvironmentType

LIFESPAN = "identity_token_lifespan"  # its key in ClientMetadata.lifespans
MAX_LIFETIME = 10 * 3600  # seconds, and the default
MIN_LIFETIME = 60  # seconds
MAX_AUDIENCES = 50
# Cloud policies compare these names, so no character that they would quote or take for a wildcard.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
AUDIENCE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,500}")


def claims(metadata: ClientMetadata) -> None:
    """Require project and deployment of a workload, and a client authentication method."""
    if not metadata.environment_type:
        for field in OF_WORKLOADS:
            if getattr(metadata, field):
                raise InvalidClientMetadata(
                    "Only workloads have identity tokens: give environment_type too, or leave this out.", field=field
                )
        return
    if metadata.environment_type not in EnvironmentType.values:
        raise InvalidClientMetadata(
            f"Choose the environment: {', '.join(EnvironmentType.values)}.", field="environment_type"
        )
    for field in ("project", "deployment"):
        value = getattr(metadata, field)
        if not value:
            raise InvalidClientMetadata(f"Name the {field}, such as {EXAMPLES[field]}.", field=field)
        if not NAME.fullmatch(value):
            raise InvalidClientMetadata(
                f"Write the {field} with up to 63 letters, digits, “-”, “_” and “.”, and begin with a letter or digit.",
                field=field,
            )
    if metadata.token_endpoint_auth_method == AuthMethod.NONE:
        raise InvalidClientMetadata(
            "A workload must authenticate. Give it an authentication method.", field="token_endpoint_auth_method"
        )


OF_WORKLOADS = ("project", "deployment", "identity_token_audience")
EXAMPLES = {"project": "billing", "deployment": "billing-production"}


def identity_token_audience(metadata: ClientMetadata) -> None:
    """Limit the audiences of identity tokens; cloud platforms use URIs and plain names.

    They may be anything: no API of this portal accepts an identity token, and no access token is for them.
    """
    audiences("identity_token_audience", metadata)


def audiences(field: str, metadata: ClientMetadata) -> None:
    """Limit a list of audiences in number and characters."""
    values = getattr(metadata, field)
    if len(values) > MAX_AUDIENCES:
        raise InvalidClientMetadata(f"Name at most {MAX_AUDIENCES} audiences.", field=field)
    if len(set(values)) != len(values):
        raise InvalidClientMetadata("Name each audience once.", field=field)
    for value in values:
        if not AUDIENCE.fullmatch(value):
            raise InvalidClientMetadata(
                "Write each audience with up to 500 printable ASCII characters, without space, quote and backslash.",
                field=field,
            )


def identity_token_lifespan(metadata: ClientMetadata) -> None:
    """Limit the lifetime of identity tokens to MAX_LIFETIME."""
    seconds = metadata.lifespans.get(LIFESPAN, MAX_LIFETIME)
    if type(seconds) is not int or not MIN_LIFETIME <= seconds <= MAX_LIFETIME:
        raise InvalidClientMetadata(
            f"Choose an identity token lifetime between {MIN_LIFETIME} and {MAX_LIFETIME} seconds.", field="lifespans"
        )
