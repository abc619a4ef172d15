"""Mail as its reader gets it: from the demo's mailbox, in the browser's own words."""

import re
import time

from tests import patient


class Mailbox:
    """The demo's mail, read over HTTP."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def page_of(self, address: str, *, beyond: int = 0, seconds: float = 120) -> str:
        """Return the path of the newest message to an address, waiting until there are more than `beyond`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.pages_of(address)
            if len(found) > beyond:
                return found[0]
            time.sleep(0.2)
        raise TimeoutError(f"no mail to {address} within {seconds:.0f} seconds")

    def pages_of(self, address: str) -> list[str]:
        listed = patient.get(f"{self.base_url}/demo/mail/").text
        paths = dict.fromkeys(re.findall(r'href="(/demo/mail/[\w-]+/)"', listed))
        return [path for path in paths if address in patient.get(self.base_url + path).text]

    def link_to(self, address: str, path: str, *, beyond: int = 0) -> str:
        """Return the first address below `path` that the newest message to somebody holds."""
        text = patient.get(self.base_url + self.page_of(address, beyond=beyond)).text
        return re.search(rf'{re.escape(self.base_url)}{re.escape(path)}[^\s"<]+', text)[0]

    def code_for(self, address: str, *, beyond: int = 0) -> str:
        text = patient.get(self.base_url + self.page_of(address, beyond=beyond)).text
        return re.search(r"code: ([A-Z]{4}-[A-Z]{4})", text)[1]
