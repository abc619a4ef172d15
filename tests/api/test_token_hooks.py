"""Token hooks in the management API."""

import pytest

from authority.tokens import token_hooks
from tests.authority.hook_server import ADDED, serving

pytestmark = pytest.mark.django_db


def test_operator_sets_tests_and_removes_a_hook(api, acme_access, olga, alice, program_of, settings):
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1"]
    token_hooks.reset_for_tests()
    operator, path = program_of(olga), f"/admin/apis/{api.pk}/token-hook"
    assert operator.get(path).status_code == 404
    assert operator.post(f"{path}/test").status_code == 404
    with serving() as hook:
        made = operator.put(path, {"url": hook.url, "failure": "closed"})
        assert made.json() == {"url": hook.url, "timeout": 2000, "failure": "closed", "cache_seconds": 60}
        assert operator.put(path, operator.get(path).json()).json() == made.json()
        told = operator.post(f"{path}/test").json()
        assert (told["ok"], told["claims"]) == (True, ADDED["session"])
        hook.answer = lambda asked: (404, {})
        told = operator.post(f"{path}/test").json()
        assert (told["ok"], "status 404" in told["detail"]) == (False, True)
    for wrong in ({"url": "http://a.example"}, {"timeout": 5000}, {"failure": "never"}, {"secret": "x"}):
        assert operator.put(path, {"url": "https://hooks.example.com/"} | wrong).status_code == 400
    for method in ("get", "delete"):
        assert getattr(program_of(alice), method)(path).status_code == 403
    assert operator.delete(path).status_code == 204
    assert operator.get(path).status_code == 404
