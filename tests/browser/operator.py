"""Actions of an operator on the page: fill in fields, press keys, submit, read."""

from typing import Any

from playwright.sync_api import Locator

from tests.browser.conftest import BrowserTab

TIMEOUT = 20_000
SERIOUS = {"serious", "critical"}
_LABEL = """() => {
    const now = document.activeElement;
    const group = now.closest("fieldset.buttons")?.querySelector("legend");
    const named = group ?? now.labels?.[0] ?? now;
    return now.getAttribute("aria-label") ?? named.textContent.trim();
}"""


class Operator:
    """An operator of the page; `keys` counts key presses."""

    def __init__(self, tab: BrowserTab) -> None:
        self.tab, self.page = tab, tab.page
        self.keys = 0
        self.page.wait_for_selector("#fields:not([hidden])", timeout=TIMEOUT)

    def field(self, label: str, number: int = 0) -> Locator:
        """A control by its label; `number` is the index among several vehicles or people."""
        return self.page.get_by_label(label, exact=True).nth(number)

    def choose(self, label: str, value: str, number: int = 0) -> None:
        """Select a radio button of a field."""
        group = self.page.get_by_role("group", name=label, exact=True).nth(number)
        group.get_by_role("radio", name=value, exact=True).check()

    def preset(self, title: str) -> None:
        """Fill in a preset."""
        self.page.get_by_role("button", name=title, exact=True).click()

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
        self.keys += len(keys)

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self.page.keyboard.type(text)
        self.keys += len(text)

    def tab_to(self, label: str) -> None:
        """Press Tab until the focus is on the control with this label."""
        passed = []
        for _ in range(60):
            self.press("Tab")
            passed.append(self.page.evaluate(_LABEL))
            if passed[-1] == label:
                return
        raise AssertionError(f"{label} is not reached by Tab: {passed}")

    def submit(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Press Ctrl+Enter; returns the request content, and the response once it is shown."""
        with self.page.expect_response("**/v1/predict*", timeout=TIMEOUT) as waiting:
            self.press("Control+Enter")
        response = waiting.value
        self.page.wait_for_selector("#ask:not([aria-busy])", timeout=TIMEOUT)
        return response.request.post_data_json, response.json()

    def announcement(self) -> str:
        """Text of the live region."""
        self.page.locator("#announcer:not(:empty)").wait_for(state="attached", timeout=TIMEOUT)
        return str(self.page.locator("#announcer").text_content())

    def errors(self) -> list[str]:
        """Errors shown at fields."""
        return [text.removeprefix("⚠ ") for text in self.page.locator(".field > .error:visible").all_inner_texts()]

    def accessibility_violations(self) -> list[str]:
        """Serious and critical violations that axe reports for the page."""
        from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

        violations = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {[node['target'] for node in one['nodes']]}"
            for one in violations
            if one["impact"] in SERIOUS
        ]
