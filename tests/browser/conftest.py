"""Pages in headless Chromium.

`open_page` opens the URL of a file or of a server on this machine, and returns a `BrowserTab`. Without Chromium these
tests are skipped with that reason, or fail where REQUIRE_CHROMIUM=1 (`make test-browser`).
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.serving.service_process import anonymous_service

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 812}
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class BrowserTab:
    """A page with its errors and requests."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def sizes(self, selector: str) -> list[tuple[float, float]]:
        """Width and height of all that matches, as drawn."""
        script = "all => all.map(one => one.getBoundingClientRect()).map(box => [box.width, box.height])"
        return [(width, height) for width, height in self.page.eval_on_selector_all(selector, script)]

    def picture(self, file: Path) -> Path:
        """The whole page as a PNG file."""
        self.page.screenshot(path=file, full_page=True)
        return file


OpenPage = Callable[..., BrowserTab]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, one for all tests."""
    program = shutil.which("chromium")
    if program is None:
        missing = "no chromium on the PATH (apt install chromium)"
        if os.environ.get("REQUIRE_CHROMIUM") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def api() -> Iterator[str]:
    """URL of a running service without API keys."""
    with anonymous_service() as url:
        yield url


@pytest.fixture
def open_page(chromium: Any) -> Iterator[OpenPage]:
    """A function that opens an address in a window of its own, at the width of a desktop or of a phone."""
    contexts = []

    def open_tab(url: str, window: dict[str, int] = DESKTOP, **options: Any) -> BrowserTab:
        context = chromium.new_context(viewport=window, **options)
        contexts.append(context)
        result = BrowserTab(context.new_page())
        result.page.on(
            "console", lambda message: result.errors.append(message.text) if message.type == "error" else None
        )
        result.page.on("pageerror", lambda error: result.errors.append(str(error)))
        result.page.on("requestfailed", lambda request: result.errors.append(f"failed: {request.url}"))
        result.page.on("request", lambda request: result.requests.append(request.url))
        result.page.goto(url, wait_until="load")
        return result

    yield open_tab
    for context in contexts:
        context.close()
