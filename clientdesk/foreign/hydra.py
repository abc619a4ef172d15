"""Ory Hydra's clients, and those of another Clientdesk, which speaks the same language."""

from clientdesk.foreign.carried import SECRET, Carried, Document, exact, settle_grants, without_nothing

# Set by the server, and neither carried nor worth a word.
SERVERS_OWN = (
    *("client_id", "consumer", "created_at", "updated_at", "client_secret_expires_at", "last_used_at", "expires_at"),
    *("registration_client_uri", "frontchannel_logout_session_required", "request_object_signing_alg"),
)
LEFT = {
    "frontchannel_logout_uri": "front-channel logout is not offered; use back-channel logout",
    "sector_identifier_uri": "subjects are public, so there is no sector",
    "request_uris": "request objects by reference are not offered; use pushed authorization requests",
    "registration_access_token": "the client registers anew if it manages itself",
    "implicit_grant_access_token_lifespan": "the implicit grant is not offered",
    "implicit_grant_id_token_lifespan": "the implicit grant is not offered",
    "jwt_bearer_grant_access_token_lifespan": "this grant is not offered",
    "claims": "an operator sets them anew",
    "disabled": "it was disabled; disable it here too",
}


def hydra(client: Document) -> Carried:
    carried = Carried(str(client.get("client_id", "")), {})
    document, lost = carried.document, carried.lost
    for member, value in client.items():
        if member in SERVERS_OWN or value in (None, "", [], {}, False):
            continue
        if member == "client_secret":
            lost.append(SECRET)
        elif member in LEFT:
            lost.append(f"{member}: {LEFT[member]}")
        else:
            document[member] = value
    for member, what in (("redirect_uris", "redirect URI"), ("post_logout_redirect_uris", "logout address")):
        if member in document:
            document[member] = list(exact(document[member], what, lost))
    if document.get("jwks") == {"keys": []}:
        del document["jwks"]
    if document.get("subject_type") == "pairwise":
        del document["subject_type"]
        lost.append("subject_type: subjects are public here")
    settle_grants(carried)
    return without_nothing(carried)
