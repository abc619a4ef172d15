"""The token and the headers of a session."""


def test_token_with_a_line_break_is_never_repeated(nobody_at):
    answer = nobody_at.run("list", "clients", CLIENTDESK_TOKEN="cdp_first\ncdp_second")
    assert answer.status == 2
    assert "cdp_" not in answer.err


def test_without_a_token_it_says_how_to_get_one(nobody_at):
    answer = nobody_at.run("list", "clients")
    assert answer.status == 3
    assert "clientdesk login" in answer.err


def test_header_can_carry_the_token(server, nobody_at):
    header = f"Authorization: bearer {server.demo['manager_token']}"
    assert nobody_at.run("list", "clients", "-H", header).status == 0
