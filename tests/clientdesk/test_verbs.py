"""The grammar: every command is a verb and a noun, and a noun is taken in singular and plural alike."""

from clientdesk.cli import app
from clientdesk.verbs import VERBS


def groups():
    return {group.name: group.typer_instance for group in app.registered_groups}


def test_every_verb_has_its_nouns():
    assert groups().keys() == VERBS.keys()
    assert all(group.registered_commands for group in groups().values())


def test_noun_is_taken_in_singular_and_plural_and_by_orys_name(alice_at, service):
    for noun in ("client", "clients", "oauth2-client", "oauth2-clients"):
        assert alice_at.call("get", noun, service["client_id"], "-q").out.strip() == service["client_id"]
    for noun in ("secret", "secrets"):
        assert alice_at.call("list", noun, service["client_id"]).status == 0


def test_help_lists_each_command_once():
    for verb, group in groups().items():
        if verb == "perform":
            continue
        shown = [command.name for command in group.registered_commands if not command.hidden]
        functions = [command.callback for command in group.registered_commands if not command.hidden]
        assert len(shown) == len(set(shown)) == len(set(functions)), verb
