"""A real Chromium against the running server. Every page that a test opens is watched for CSP reports and errors."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, sync_playwright

from tests.browser.mail import Mailbox

# Chromium as root needs no-sandbox; the rest keeps it from calling home.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 120_000  # milliseconds; the machine may be busy


def chromium_path(playwright: Playwright) -> str:
    """Return the browser to drive: CHROMIUM, Playwright's own, or an installed one."""
    own = playwright.chromium.executable_path
    candidates = [os.environ.get("CHROMIUM"), own if Path(own).exists() else None]
    candidates += [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    for candidate in candidates:
        if candidate:
            return candidate
    pytest.fail("No Chromium found: run `make test`, which installs one, or set CHROMIUM to its path.")


@pytest.fixture(scope="session")
def chromium(server) -> Iterator[Browser]:
    # Playwright's event loop would make Django believe that it runs in an asynchronous context.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        program = chromium_path(playwright)
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS, timeout=PATIENCE)
        yield browser
        browser.close()


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self.context = context
        self.base_url = base_url
        self.complaints: list[str] = []
        context.on("console", self._listen)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.set_default_timeout(PATIENCE)
        self.page: Page = context.new_page()
        self.status = 0  # of the last page opened

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        answer = self.page.goto(path if path.startswith("http") else self.base_url + path)
        self.status = answer.status if answer else 0
        return self.page

    def sign_in(self, email: str, password: str) -> None:
        self.sign_in_another_way(email, password, "")

    def sign_in_another_way(self, email: str, password: str, query: str = "?ways=") -> None:
        """Sign in by a password, also where connections would ask for the address first."""
        self.open(f"/account/login/{query}")
        self.page.get_by_text("Use a password instead").click()
        form = self.page.locator("form", has=self.page.get_by_label("Password", exact=True))
        form.get_by_label("Email").fill(email)
        form.get_by_label("Password", exact=True).fill(password)
        form.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "/account/login" not in url)

    def copy(self, button: str) -> str:
        """Press the button, and return what it has put on the clipboard when it says so, which it does not say long."""
        self.page.evaluate(
            """() => {
              const status = document.getElementById("status");
              window.said = new Promise((tell) =>
                new MutationObserver(() => tell(status.textContent)).observe(status, { childList: true }));
            }"""
        )
        self.page.get_by_role("button", name=button).click()
        assert self.page.evaluate("said") == "Copied"
        return str(self.page.evaluate("navigator.clipboard.readText()"))


@pytest.fixture(scope="session")
def mail(server):
    return Mailbox(server.url)


@pytest.fixture
def visitor(chromium, server, request):
    """Open a browser of one's own: `visitor()`, `visitor(width=390, theme="dark", scripts=False)`."""
    visitors: list[Visitor] = []

    def arrive(*, width: int = 1280, theme: str = "light", scripts: bool = True) -> Visitor:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            java_script_enabled=scripts,
            permissions=["clipboard-read", "clipboard-write"] if scripts else [],
            reduced_motion="reduce",
        )
        visitors.append(Visitor(context, server.url))
        return visitors[-1]

    yield arrive
    complaints = [complaint for each in visitors for complaint in each.complaints]
    for each in visitors:
        each.context.close()
    assert complaints == []
