"""The scopes of the management API, for personal access tokens and for access tokens alike."""

# In an access token of ours the same scopes stand after this prefix, so that an API of the operator's own may well
# have a scope “clients:read”.
PREFIX = "clientdesk:"
# The audience of such access tokens. It names no host, so that a portal may move.
AUDIENCE = "urn:clientdesk:management"

MANAGEMENT_SCOPES = {
    "clients:read": ("Read clients", "List clients and see how each is set up, with hints of its secrets."),
    "clients:write": ("Change clients", "Create, change, disable and delete clients, and revoke their tokens."),
    "secrets:rotate": (
        "Manage secrets",
        "Create, rotate and revoke secrets, reading each once; change keys, redirect URIs and trust rules.",
    ),
    "people:read": (
        "Read who is signed in",
        "List the people who are signed in to clients, with what each client was allowed to know of them.",
    ),
    "people:write": ("Sign people out", "Sign one person or everybody out of a client."),
    "consumers:read": ("Read workspaces", "See consumers, their people, invitations and permissions."),
    "consumers:write": ("Change workspaces", "Invite and remove people. Operators also create and suspend consumers."),
    "connections:read": ("Read connections", "Operators see by which identity providers people sign in."),
    "connections:write": (
        "Change connections",
        "Operators decide by which identity providers people sign in, and who joins by them.",
    ),
    "portal-links:write": (
        "Open workspaces for people",
        "Operators let an application of theirs make links that sign a person in to one workspace.",
    ),
    "logins:read": ("Read logins", "Operators let their own login see who asks for a sign-in, and for what."),
    "logins:write": (
        "Answer logins",
        "Operators let their own login say who has signed in, and end sign-ins. It can sign in as any end user.",
    ),
    "apis:read": ("Read APIs", "See the APIs and scopes that clients may ask for."),
    "apis:write": ("Change APIs", "Operators describe APIs and scopes, and give consumers access to them."),
    "activity:read": ("Read activity", "Read and export who did what, and see what is used."),
    "tokens:read": ("Inspect tokens", "Introspect access and refresh tokens."),
    "tokens:write": ("Create test tokens", "Create and revoke test tokens."),
}

# What only operators can make use of.
OPERATORS_ALONE = frozenset(
    {"connections:read", "connections:write", "apis:write", "portal-links:write", "logins:read", "logins:write"}
)
