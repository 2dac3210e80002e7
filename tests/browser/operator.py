"""What an operator does with the page of the service: fill in, press keys, ask, read."""

from typing import Any

from playwright.sync_api import Locator

from tests.browser.conftest import Opened

PATIENCE = 20_000
SERIOUS = {"serious", "critical"}
_LABEL = """() => {
    const now = document.activeElement;
    const group = now.closest("fieldset.buttons")?.querySelector("legend");
    const named = group ?? now.labels?.[0] ?? now;
    return now.getAttribute("aria-label") ?? named.textContent.trim();
}"""


class Operator:
    """Somebody in front of the page; `keys` counts what was pressed."""

    def __init__(self, tab: Opened) -> None:
        self.tab, self.page = tab, tab.page
        self.keys = 0
        self.page.wait_for_selector("#questions:not([hidden])", timeout=PATIENCE)

    def field(self, label: str, number: int = 0) -> Locator:
        """A control by its label; `number` tells apart those of several vehicles or people."""
        return self.page.get_by_label(label, exact=True).nth(number)

    def choose(self, question: str, answer: str, number: int = 0) -> None:
        """Take one of the buttons that answer a question."""
        group = self.page.get_by_role("group", name=question, exact=True).nth(number)
        group.get_by_role("radio", name=answer, exact=True).check()

    def preset(self, title: str) -> None:
        """Start from a common case."""
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

    def ask(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Press Ctrl+Enter; returns the accident that was sent, and the answer of the service once it is shown."""
        with self.page.expect_response("**/v1/predict*", timeout=PATIENCE) as waiting:
            self.press("Control+Enter")
        response = waiting.value
        self.page.wait_for_selector("#ask:not([aria-busy])", timeout=PATIENCE)
        return response.request.post_data_json, response.json()

    def said(self) -> str:
        """What the live region announces."""
        self.page.locator("#said:not(:empty)").wait_for(state="attached", timeout=PATIENCE)
        return str(self.page.locator("#said").text_content())

    def errors(self) -> list[str]:
        """Errors shown at fields."""
        return [text.removeprefix("⚠ ") for text in self.page.locator(".field > .error:visible").all_inner_texts()]

    def findings(self) -> list[str]:
        """What axe finds serious or critical on the page as it is now."""
        from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found if one["impact"] in SERIOUS
        ]
