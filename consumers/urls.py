"""Invitations and workspaces."""

from django.urls import path

from consumers import invitations, reauthentication, token_pages, views

app_name = "consumers"

urlpatterns = [
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("account/reauthenticate/code/", reauthentication.by_code, name="reauthenticate-by-code"),
    path("account/name/", views.name, name="name"),
    path("account/tokens/", token_pages.index, name="tokens"),
    path("account/tokens/new/", token_pages.create, name="new-token"),
    path("account/tokens/<uuid:token_id>/revoke/", token_pages.revoke, name="revoke-token"),
    path("consumers/", views.choose, name="choose"),
    path("consumers/<slug:consumer_slug>/people/", views.people, name="people"),
    path("consumers/<slug:consumer_slug>/people/invite/", views.invite, name="invite"),
    path("consumers/<slug:consumer_slug>/people/<int:member_id>/", views.member, name="member"),
    path(
        "consumers/<slug:consumer_slug>/invitations/<int:invitation_id>/resend/",
        views.resend_invitation,
        name="resend-invitation",
    ),
    path(
        "consumers/<slug:consumer_slug>/invitations/<int:invitation_id>/withdraw/",
        views.withdraw_invitation,
        name="withdraw-invitation",
    ),
    path("consumers/<slug:consumer_slug>/activity/", views.activity, name="activity"),
    path("consumers/<slug:consumer_slug>/activity/download/", views.activity_csv, name="activity-csv"),
]
