"""Commands for members and invitations."""

import uuid


def by_email(rows):
    return {row["email"]: row for row in rows}


def test_person_is_invited_and_the_invitation_is_revoked(alice_at):
    email = f"new-{uuid.uuid4().hex[:8]}@acme.example"
    alice_at.json("create", "invitation", "acme", email, "--role", "viewer")
    invitation = by_email(alice_at.json("list", "invitations", "acme"))[email]
    assert (invitation["role"], invitation["state"]) == ("viewer", "pending")
    assert alice_at.call("revoke", "invitation", "acme", email).status == 0
    assert email not in by_email(alice_at.json("list", "invitations", "acme"))


def test_members_are_listed(alice_at):
    assert by_email(alice_at.json("list", "members", "acme"))["alice@acme.example"]["role"] == "manager"
    assert alice_at.run("delete", "member", "acme", "nobody@acme.example").status == 4
