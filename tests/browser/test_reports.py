"""What a training leaves for people to look at, looked at: reports, model card, and the picture in the README."""

import re
from pathlib import Path

import pytest

from accidents.configuration.evaluation import EvaluationSettings
from accidents.report.model_report import compare_models
from tests.browser.conftest import DESKTOP, PHONE, OpenPage
from tests.trained import small_models, small_year

pytestmark = [pytest.mark.browser, pytest.mark.long]

SETTINGS = EvaluationSettings(resamples=20, group_resamples=10, explained_accidents=40, smallest_group=10)
TITLES = {
    "best_model.html": r": evaluation$",
    "comparison.html": r"[Cc]ompar",
    "model_card.html": r"^Model card: ",
}
PICTURES = {"best_model.html": 11, "comparison.html": 4, "model_card.html": 0}
WINDOWS = {"desktop": DESKTOP, "phone": PHONE}
COLOURS = ["light", "dark"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pages of a small training, under the names that the command line gives them."""
    folder = tmp_path_factory.mktemp("pages")
    accidents, features = small_year()
    trained = [scored.trained for scored in small_models().values()]
    compared = compare_models(
        [one.bundle for one in trained],
        [one.predictions for one in trained],
        features,
        accidents.accidents,
        SETTINGS,
        source="sample",
    )
    (folder / "best_model.html").write_text(compared.best_report)
    (folder / "comparison.html").write_text(compared.comparison_report)
    (folder / "model_card.html").write_text(compared.card.html)
    for name, text in next(iter(compared.report_files.files.values())).items():
        if name.endswith(".svg"):
            (folder / Path(name).name).write_text(text)
    return folder


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", TITLES)
def test_report_renders_without_errors_or_requests_and_fits_the_window(
    name: str, window: str, pages: Path, open_page: OpenPage, tmp_path: Path
) -> None:
    address = (pages / name).as_uri()
    tab = open_page(address, WINDOWS[window])
    assert tab.errors == []
    assert tab.requests == [address]
    assert tab.overflow() <= 0
    assert tab.page.locator("h1").first.is_visible()
    assert tab.picture(tmp_path / "page.png").stat().st_size > 10_000


def test_svg_files_render_at_their_own_size(pages: Path, open_page: OpenPage) -> None:
    files = sorted(pages.glob("*.svg"))
    assert "confusion_matrix.svg" in {file.name for file in files}
    gallery = pages / "gallery.html"
    gallery.write_text("<!doctype html>" + "".join(f'<img src="{file.name}">' for file in files))
    tab = open_page(gallery.as_uri(), WINDOWS["desktop"])
    assert tab.errors == []
    widths = tab.page.eval_on_selector_all("img", "images => images.map(image => image.naturalWidth)")
    assert len(widths) == len(files)
    assert min(widths) > 400


@pytest.mark.parametrize(("name", "title"), TITLES.items())
def test_report_has_a_title(name: str, title: str, pages: Path, open_page: OpenPage) -> None:
    assert re.search(title, open_page((pages / name).as_uri()).page.title())


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("name", TITLES)
def test_charts_are_drawn_and_not_clipped(name: str, window: str, pages: Path, open_page: OpenPage) -> None:
    tab = open_page((pages / name).as_uri(), WINDOWS[window])
    sizes = tab.sizes("figure svg")
    assert len(sizes) == PICTURES[name]
    assert all(width > 200 and height > 100 for width, height in sizes)
    assert all(size > (0, 0) for size in tab.sizes("figure svg g[id^=axes]"))


@pytest.mark.parametrize("scheme", COLOURS)
def test_text_has_enough_contrast(scheme: str, pages: Path, open_page: OpenPage) -> None:
    for name in TITLES:
        page = open_page((pages / name).as_uri(), color_scheme=scheme).page
        ink, paper = (page.evaluate(f"getComputedStyle(document.body).{what}") for what in ("color", "backgroundColor"))
        assert contrast(ink, paper) > 7, name


def contrast(first: str, second: str) -> float:
    """Contrast of two colours `rgb(r, g, b)` as the WCAG defines it; 7 is its higher grade for text."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_details_can_be_opened(pages: Path, open_page: OpenPage) -> None:
    tab = open_page((pages / "best_model.html").as_uri(), PHONE)
    folded = tab.page.locator("details").first
    assert not folded.locator("table").is_visible()
    folded.locator("summary").click()
    assert folded.locator("table").is_visible()
    assert tab.overflow() <= 0


@pytest.mark.parametrize("window", WINDOWS)
def test_readme_picture_renders(window: str, project: Path, open_page: OpenPage, tmp_path: Path) -> None:
    picture = (project / "docs" / "images" / "overview.svg").as_uri()
    page = tmp_path / "readme.html"
    page.write_text(f'<!doctype html><meta charset="utf-8"><img src="{picture}" style="max-width: 100%">')
    tab = open_page(page.as_uri(), WINDOWS[window])
    assert tab.errors == []
    assert set(tab.requests) == {page.as_uri(), picture}
    [(width, height)] = tab.sizes("img")
    assert width > 300
    assert height > 40
    assert tab.page.eval_on_selector("img", "image => image.complete && image.naturalWidth > 0")
    assert tab.overflow() <= 0


def test_failing_page_is_detected(tmp_path: Path, open_page: OpenPage) -> None:
    page = tmp_path / "bad.html"
    page.write_text('<!doctype html><script>nothing()</script><img src="gone.png"><div style="width: 3000px">.</div>')
    tab = open_page(page.as_uri(), PHONE)
    assert any("nothing is not defined" in error for error in tab.errors)
    assert any("gone.png" in error for error in tab.errors)
    assert tab.overflow() > 2000
    assert len(tab.requests) == 2
