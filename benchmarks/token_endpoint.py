"""Our token endpoint beside oidc-provider's and the toolkit's: requests per CPU-second of server and database.

Run it with `uv run python -m benchmarks.token_endpoint [ES256] [RS256]`, on the terms of benchmarks/harness.py; each
algorithm takes four minutes. oidc-provider keeps everything in memory, and it and ours give JWTs. The toolkit knows
none: it gives opaque tokens, each with a row.
"""

import sys
from contextlib import ExitStack

from benchmarks.harness import compare
from benchmarks.servers import clientdesk, oidc_provider, toolkit


def client_credentials(algorithm: str) -> None:
    with ExitStack() as stack:
        peer = stack.enter_context(oidc_provider(algorithm))
        ours = stack.enter_context(clientdesk(algorithm))
        fast, stock = (stack.enter_context(toolkit(ours.postgres, fast=fast)) for fast in (True, False))
        print(f"\nclient_credentials, {algorithm}; the toolkit's tokens are opaque, with a row each")
        compare([peer, ours, fast, stock])
        for target in (peer, ours, fast, stock):
            print(f"{target.name}: {target.memory_mib():.0f} MiB in its largest process")


if __name__ == "__main__":
    for algorithm in sys.argv[1:] or ("ES256", "RS256"):
        client_credentials(algorithm)
