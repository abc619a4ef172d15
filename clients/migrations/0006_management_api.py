"""The management API as an API like any other, so that operators can let a consumer's clients use it."""

from django.db import migrations

AUDIENCE = "urn:clientdesk:management"
SCOPES = {
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


def describe(apps, schema_editor):
    api, _ = apps.get_model("clients", "Api").objects.get_or_create(
        identifier=AUDIENCE,
        defaults={
            "name": "Clientdesk management",
            "description": "Manage this portal's clients and workspaces by programs.",
            "access_token_lifetime": 900,
        },
    )
    for value, (name, description) in SCOPES.items():
        apps.get_model("clients", "Scope").objects.get_or_create(
            value=f"clientdesk:{value}", defaults={"api": api, "name": name, "description": description}
        )


class Migration(migrations.Migration):
    dependencies = [("clients", "0005_token_lifetimes")]
    operations = [migrations.RunPython(describe, migrations.RunPython.noop)]
