"""The table of the members of a client."""


def test_every_member_that_programs_may_change_has_a_flag():
    from clientdesk.flags import FLAGS, LIFESPANS
    from clients.schemas import WRITABLE

    assert {flag.member for flag in [*FLAGS, *LIFESPANS]} >= set(WRITABLE)


def test_every_value_that_the_server_takes_is_completed():
    from clientdesk.client_authentication import AuthMethod
    from clientdesk.commands.clients import STATES
    from clientdesk.flags import FLAGS, VALUES
    from clients import vocabulary
    from clients.schemas import CLIENT

    members = {flag.name: CLIENT["properties"][flag.member] for flag in FLAGS if flag.name in VALUES}
    taken = {name: {value for value in member["enum"] if value} for name, member in members.items() if "enum" in member}
    assert {name: set(VALUES[name]) for name in taken} == taken
    assert "token-endpoint-auth-method" in taken
    assert set(VALUES["grant-type"]) == set(vocabulary.GrantType.values)
    assert set(AuthMethod) == set(vocabulary.AuthMethod.values)
    assert set(STATES) == set(vocabulary.ClientState.values)
