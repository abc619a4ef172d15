"""TXT records by which an organisation shows that a domain is its own."""

import dns.exception
import dns.resolver
from django.conf import settings

from connections.models import Domain
from core.errors import Refusal

NAME = "_clientdesk"
SECONDS = 5.0  # for the whole answer
MOST = 50  # records looked at


def expected(domain: Domain) -> tuple[str, str]:
    """Return the name and the text of the record that proves the domain."""
    return f"{NAME}.{domain.name}", f"clientdesk-verify={domain.challenge}"


def require(domain: Domain) -> None:
    """Look the record up. Raises Refusal where it is not there, or no server answers."""
    name, text = expected(domain)
    resolver = dns.resolver.Resolver(configure=not settings.DNS_SERVERS)
    if settings.DNS_SERVERS:
        resolver.nameservers, resolver.nameserver_ports = list(settings.DNS_SERVERS), dict(settings.DNS_SERVERS)
    try:
        answer = resolver.resolve(name, "TXT", lifetime=SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        raise Refusal(f"There is no TXT record {name} yet. New records take minutes, sometimes an hour.") from None
    except dns.exception.DNSException:
        raise Refusal(f"No name server answers for {name} now. Try again later.") from None
    found = [b"".join(record.strings).decode("ascii", "replace") for record in list(answer)[:MOST]]
    if text not in found:
        raise Refusal(f"The TXT record {name} says something else. It must be {text}.")
