"""Read Ory Hydra's clients, and those of another Clientdesk, which have the same members."""

from clientdesk.importers.imported_client import (
    SECRET_NOT_IMPORTED,
    Document,
    ImportedClient,
    exact_uris,
    keep_supported_grants,
    without_empty_members,
)

# Set by the server; left out without a word.
_SET_BY_SERVER = (
    *("client_id", "consumer", "created_at", "updated_at", "client_secret_expires_at", "last_used_at", "expires_at"),
    *("registration_client_uri", "frontchannel_logout_session_required", "request_object_signing_alg"),
)
_UNSUPPORTED = {
    "frontchannel_logout_uri": "front-channel logout is not supported; use back-channel logout",
    "sector_identifier_uri": "subjects are public",
    "request_uris": "request objects by reference are not supported; use pushed authorization requests",
    "registration_access_token": "the client has to register again if it manages itself",
    "implicit_grant_access_token_lifespan": "the implicit grant is not supported",
    "implicit_grant_id_token_lifespan": "the implicit grant is not supported",
    "jwt_bearer_grant_access_token_lifespan": "this grant is not supported",
    "claims": "an operator has to set them",
    "disabled": "the client was disabled; disable it here too",
}


def read_hydra_client(client: Document) -> ImportedClient:
    imported = ImportedClient(str(client.get("client_id", "")), {})
    metadata, not_imported = imported.metadata, imported.not_imported
    for member, value in client.items():
        if member in _SET_BY_SERVER or value in (None, "", [], {}, False):
            continue
        if member == "client_secret":
            not_imported.append(SECRET_NOT_IMPORTED)
        elif member in _UNSUPPORTED:
            not_imported.append(f"{member}: {_UNSUPPORTED[member]}")
        else:
            metadata[member] = value
    for member, what in (("redirect_uris", "redirect URI"), ("post_logout_redirect_uris", "post-logout redirect URI")):
        if member in metadata:
            metadata[member] = list(exact_uris(metadata[member], what, not_imported))
    if metadata.get("jwks") == {"keys": []}:
        del metadata["jwks"]
    if metadata.get("subject_type") == "pairwise":
        del metadata["subject_type"]
        not_imported.append("subject_type: subjects are public")
    keep_supported_grants(imported)
    return without_empty_members(imported)
