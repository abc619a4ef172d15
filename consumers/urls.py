"""Invitations and workspaces."""

from django.urls import path

from consumers import views

app_name = "consumers"

urlpatterns = [
    path("invitations/<str:token>/", views.invitation, name="invitation"),
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
]
