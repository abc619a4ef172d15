"""A workspace's pages about tokens; included below /consumers/<slug>/."""

from django.urls import path

from authority.views import client_people, identity, inspector, problems, rules, test_tokens, tryout

app_name = "tokens"

urlpatterns = [
    path("clients/<client:client_id>/identity/", identity.identity, name="identity"),
    path("clients/<client:client_id>/identity/<slug:name>/", identity.guide, name="guide"),
    path("inspect/", inspector.inspector, name="inspector"),
    path("test-tokens/", test_tokens.index, name="test-tokens"),
    path("test-tokens/<slug:jti>/revoke/", test_tokens.revoke, name="revoke-test-token"),
    path("clients/<client:client_id>/test-token/", test_tokens.create, name="create-test-token"),
    path("clients/<client:client_id>/try/", tryout.try_out, name="try"),
    path("clients/<client:client_id>/rules/try/", rules.try_token, name="try-rules"),
    path("clients/<client:client_id>/problems/", problems.problems, name="problems"),
    path("clients/<client:client_id>/people/", client_people.people, name="people"),
    path("clients/<client:client_id>/people/revoke/", client_people.end_one, name="revoke-person"),
    path("clients/<client:client_id>/people/revoke-all/", client_people.end_all, name="revoke-people"),
]
