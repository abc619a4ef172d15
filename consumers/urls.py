"""URLs of invitations, accounts and workspaces."""

from django.urls import path

from consumers.accounts import reauthentication
from consumers.views import invitations, personal_tokens, portal_links, workspaces

app_name = "consumers"

urlpatterns = [
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("portal-links/<str:token>/", portal_links.portal_link, name="portal-link"),
    path("account/reauthenticate/code/", reauthentication.by_code, name="reauthenticate-by-code"),
    path("account/name/", workspaces.name, name="name"),
    path("account/tokens/", personal_tokens.index, name="tokens"),
    path("account/tokens/new/", personal_tokens.create, name="create-token"),
    path("account/tokens/<uuid:token_id>/revoke/", personal_tokens.revoke, name="revoke-token"),
    path("consumers/", workspaces.choose, name="choose"),
    path("consumers/<slug:consumer_slug>/people/", workspaces.people, name="people"),
    path("consumers/<slug:consumer_slug>/people/invite/", workspaces.invite, name="invite"),
    path("consumers/<slug:consumer_slug>/people/<int:member_id>/", workspaces.member, name="member"),
    path(
        "consumers/<slug:consumer_slug>/invitations/<int:invitation_id>/resend/",
        workspaces.resend_invitation,
        name="resend-invitation",
    ),
    path(
        "consumers/<slug:consumer_slug>/invitations/<int:invitation_id>/revoke/",
        workspaces.revoke_invitation,
        name="revoke-invitation",
    ),
    path("consumers/<slug:consumer_slug>/activity/", workspaces.activity, name="activity"),
    path("consumers/<slug:consumer_slug>/activity/download/", workspaces.activity_csv, name="activity-csv"),
]
