"""Addresses of consumers, people and activity below /admin/."""

from consumers.api import activity, consumers, people
from consumers.rest.routes import address

ONE = "/admin/consumers/{consumer}"

urlpatterns = [
    address("/admin/consumers", "consumers", GET=consumers.list_consumers, POST=consumers.create_consumer),
    address(
        ONE,
        "consumer",
        GET=consumers.get_consumer,
        PUT=consumers.set_consumer,
        PATCH=consumers.patch_consumer,
        DELETE=consumers.delete_consumer,
    ),
    address(f"{ONE}/tokens", "consumer-tokens", DELETE=consumers.revoke_tokens),
    address(f"{ONE}/suspend", "suspend-consumer", POST=consumers.suspend_consumer),
    address(f"{ONE}/resume", "resume-consumer", POST=consumers.resume_consumer),
    address(f"{ONE}/members", "members", GET=people.list_members),
    address(f"{ONE}/members/{{member_id}}", "member", PUT=people.set_member, DELETE=people.remove_member),
    address(f"{ONE}/invitations", "invitations", GET=people.list_invitations, POST=people.invite),
    address(f"{ONE}/invitations/{{invitation_id}}/resend", "resend-invitation", POST=people.resend_invitation),
    address(f"{ONE}/invitations/{{invitation_id}}", "invitation", DELETE=people.withdraw_invitation),
    address("/admin/activity", "activity", GET=activity.list_activity),
    address("/admin/activity/export", "activity-export", GET=activity.export_activity),
]
