"""Pages in Debian's Chromium, without a window and without a network of its own.

`open_page` opens an address, be it a file or a server on this machine, and returns what the browser made of it. Where
there is no Chromium a test skips and says so, or fails where REQUIRE_CHROMIUM=1 (`make test-browser`).
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
class Opened:
    """A page, and what happened while it was tab."""

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


OpenPage = Callable[..., Opened]


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
    """Address of a running service that anybody on this machine may ask."""
    with anonymous_service() as address:
        yield address


@pytest.fixture
def open_page(chromium: Any) -> Iterator[OpenPage]:
    """A function that opens an address in a window of its own, at the width of a desktop or of a phone."""
    contexts = []

    def tab(address: str, window: dict[str, int] = DESKTOP, **options: Any) -> Opened:
        context = chromium.new_context(viewport=window, **options)
        contexts.append(context)
        result = Opened(context.new_page())
        result.page.on("console", lambda said: result.errors.append(said.text) if said.type == "error" else None)
        result.page.on("pageerror", lambda error: result.errors.append(str(error)))
        result.page.on("requestfailed", lambda request: result.errors.append(f"failed: {request.url}"))
        result.page.on("request", lambda request: result.requests.append(request.url))
        result.page.goto(address, wait_until="load")
        return result

    yield tab
    for context in contexts:
        context.close()
