"""The events of operating the portal, and how each reads."""

from consumers.activity.vocabulary import Wording, register
from consumers.models import Event, EventName


class PortalEvent(EventName):
    KEYS_REENCRYPTED = "key.reencrypted"
    DATABASE_RESTORED = "database.restored"


def _reencrypted(event: Event) -> str:
    return ", ".join(f"{number} {what}" for what, number in event.detail.get("moved", {}).items())


def _backup(event: Event) -> str:
    return str(event.detail.get("made_at", ""))


_WORDINGS: dict[EventName, Wording] = {
    PortalEvent.KEYS_REENCRYPTED: Wording(
        "re-encrypted stored data under the newest encryption key", "lock", "", _reencrypted
    ),
    PortalEvent.DATABASE_RESTORED: Wording("restored the database from a backup", "history", "", _backup),
}


def register_events() -> None:
    register(_WORDINGS)
