"""Ending what people's sign-ins at a client gave it: one person's, or everybody's, by those who manage the client.

What people have consented to stays, so that whoever signs in next is not asked again.
"""

from django.db import transaction

from authority.authorization import backchannel_logout, consents
from authority.authorization.consents import Grant
from authority.events import AuthorityEvent
from authority.models import DeviceRequest
from clients.actions.locks import lock_client
from clients.models import Client
from consumers import audit
from consumers.audit import Actor
from consumers.models import User
from core import clock


@transaction.atomic
def end_sign_ins(*, client: Client, user: User, actor: Actor) -> None:
    """End every code, request of a device and token that the client has for the person, and tell the client."""
    consents.end_tokens(user, client)
    backchannel_logout.end_sign_ins_at(client, user)
    audit.record(
        AuthorityEvent.CLIENT_PERSON_SIGNED_OUT,
        actor=actor,
        consumer=client.consumer,
        target=client,
        detail={"person_id": str(user.pk)},
    )


@transaction.atomic
def end_all_sign_ins(*, client: Client, actor: Actor) -> None:
    """End what the client has for everybody who is signed in to it; tokens of its own stay valid.

    One moment on the client stands for all of its families, of which there may be a million. Codes are deleted first:
    one that is being exchanged is waited for, and its family then began before that moment.
    """
    Grant.objects.filter(application=client).delete()
    DeviceRequest.objects.filter(client=client).exclude(user=None).delete()
    client = lock_client(client)
    client.people_signed_out_at = clock.after_now()
    client.save(update_fields=["people_signed_out_at", "updated"])
    audit.record(AuthorityEvent.CLIENT_PEOPLE_SIGNED_OUT, actor=actor, consumer=client.consumer, target=client)
