"""Routes of consumers, people and activity below /admin/."""

from consumers.api import activity, consumers, people, portal_links
from consumers.rest.routes import route

ONE = "/admin/consumers/{consumer}"

urlpatterns = [
    route("/admin/consumers", "consumers", GET=consumers.list_consumers, POST=consumers.create_consumer),
    route(
        ONE,
        "consumer",
        GET=consumers.get_consumer,
        PUT=consumers.set_consumer,
        PATCH=consumers.patch_consumer,
        DELETE=consumers.delete_consumer,
    ),
    route(f"{ONE}/tokens", "consumer-tokens", DELETE=consumers.revoke_tokens),
    route(f"{ONE}/suspend", "suspend-consumer", POST=consumers.suspend_consumer),
    route(f"{ONE}/resume", "resume-consumer", POST=consumers.resume_consumer),
    route(f"{ONE}/members", "members", GET=people.list_members),
    route(
        f"{ONE}/members/{{member_id}}",
        "member",
        GET=people.get_member,
        PUT=people.set_member,
        DELETE=people.remove_member,
    ),
    route(f"{ONE}/members/{{member_id}}/credentials", "member-credentials", GET=people.list_credentials),
    route(f"{ONE}/invitations", "invitations", GET=people.list_invitations, POST=people.invite),
    route(f"{ONE}/invitations/{{invitation_id}}/resend", "resend-invitation", POST=people.resend_invitation),
    route(
        f"{ONE}/invitations/{{invitation_id}}",
        "invitation",
        GET=people.get_invitation,
        DELETE=people.revoke_invitation,
    ),
    route(f"{ONE}/portal-links", "portal-links", POST=portal_links.create_portal_link),
    route(f"{ONE}/portal-links/{{portal_link_id}}", "portal-link", GET=portal_links.get_portal_link),
    route("/admin/activity", "activity", GET=activity.list_activity),
    route("/admin/activity/export", "activity-export", GET=activity.export_activity),
]
