"""The running server notes the last use of a secret, a little later and without being asked."""

import time

from clients.models import ClientSecret


def test_last_use_is_written_within_seconds(server):
    service = server.service()
    server.token(service=service)
    deadline = time.monotonic() + 60
    with server.database():
        used = ClientSecret.objects.filter(client__client_id=service[0]).exclude(last_used_ip=None)
        while time.monotonic() < deadline and not used.exists():
            time.sleep(0.2)
        assert str(used.get().last_used_ip) == "127.0.0.1"
