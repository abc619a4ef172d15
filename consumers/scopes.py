"""What a program may be let do through the management API, whoever it acts for."""

# In an access token of ours the same scopes stand after this prefix, so that an API of the operator's own may well
# have a scope “clients:read”.
PREFIX = "clientdesk:"
# The audience of such access tokens. It names no host, so that a portal may move.
AUDIENCE = "urn:clientdesk:management"

MANAGEMENT_SCOPES = {
    "clients:read": ("Read clients", "List clients and see how each is set up, with hints of its secrets."),
    "clients:write": ("Change clients", "Register, change, disable and delete clients, and end their tokens."),
    "secrets:rotate": ("Handle secrets", "Make, rotate, expire and revoke secrets, and read each new one once."),
    "consumers:read": ("Read workspaces", "See consumers, their people, invitations and permissions."),
    "consumers:write": ("Change workspaces", "Invite and remove people. Operators also create and suspend consumers."),
    "apis:read": ("Read APIs", "See the APIs and scopes that clients may ask for."),
    "apis:write": ("Change APIs", "Operators describe APIs and scopes, and give consumers access to them."),
    "activity:read": ("Read activity", "Read and export who did what, and see what is used."),
    "tokens:read": ("Inspect tokens", "Ask what an access or refresh token is worth."),
    "tokens:write": ("Make test tokens", "Make and revoke test tokens."),
}
