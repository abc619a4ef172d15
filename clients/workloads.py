"""What a workload may say of itself in its identity tokens, for whom, and how long they hold."""

import re

from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.vocabulary import AuthMethod, EnvironmentType

LIFESPAN = "identity_token_lifespan"  # its name among a client's lifespans
LONGEST = 10 * 3600  # seconds, also where a client sets none
SHORTEST = 60
MAX_AUDIENCES = 50
# Names that stand in a cloud's rules, so nothing that such a rule would have to quote or could take for a pattern.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
AUDIENCE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,500}")


def workload(metadata: ClientMetadata) -> None:
    """Require project and deployment of a workload, as claims that rules can compare letter by letter."""
    if not metadata.environment_type:
        for field in ("project", "deployment"):
            if getattr(metadata, field):
                raise InvalidClientMetadata(
                    "Only workloads have a project and a deployment: give environment_type too.", field=field
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
            "A workload must prove who it is. Give it an authentication method.", field="token_endpoint_auth_method"
        )


EXAMPLES = {"project": "billing", "deployment": "billing-production"}


def audience(metadata: ClientMetadata) -> None:
    """Require audiences that a claim can hold; clouds name themselves by URIs and by plain words."""
    if len(metadata.audience) > MAX_AUDIENCES:
        raise InvalidClientMetadata(f"Name at most {MAX_AUDIENCES} audiences.", field="audience")
    if len(set(metadata.audience)) != len(metadata.audience):
        raise InvalidClientMetadata("Name each audience once.", field="audience")
    for value in metadata.audience:
        if not AUDIENCE.fullmatch(value):
            raise InvalidClientMetadata(
                "Write each audience with up to 500 printable ASCII characters, without space, quote and backslash.",
                field="audience",
            )


def lifespan(metadata: ClientMetadata) -> None:
    """Allow identity tokens to live shorter than ten hours, never longer."""
    seconds = metadata.lifespans.get(LIFESPAN, LONGEST)
    if type(seconds) is not int or not SHORTEST <= seconds <= LONGEST:
        raise InvalidClientMetadata(
            f"Let identity tokens live between {SHORTEST} and {LONGEST} seconds.", field="lifespans"
        )
