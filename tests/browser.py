"""Open a file in headless Chromium with the network cut; note what it asks for and complains of."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")


def chromium() -> str | None:
    """Path of a Chromium, from POCGEO_CHROMIUM or the PATH; None where there is none."""
    named = os.environ.get("POCGEO_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    return next((path for name in CANDIDATES if (path := shutil.which(name))), None)


@dataclass
class Opened:
    """One page in the browser, and what was seen while it ran."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: Path) -> "Opened":
        """Open a file and wait until every map in it says that it is complete."""
        self.requests.clear()
        self.complaints.clear()
        self.page.goto(path.resolve().as_uri(), wait_until="load")
        self.page.wait_for_selector(
            "html[data-pocgeo=ready], html[data-pocgeo=failed]", state="attached", timeout=30_000
        )
        self.page.wait_for_timeout(150)
        return self

    @property
    def outside(self) -> list[str]:
        """Requests for anything but the file itself."""
        return [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))]


@contextmanager
def offline_browser(width: int = 1280, height: int = 800, **context: Any) -> Iterator[Opened]:
    """Give a page of a browser that cannot reach any network; skip where there is no browser."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium found: put one on the PATH or name it in POCGEO_CHROMIUM")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        try:
            view = browser.new_context(
                viewport={"width": width, "height": height}, offline=True, **context
            )
            opened = Opened(view.new_page())
            opened.page.on("request", lambda request: opened.requests.append(request.url))
            opened.page.on(
                "console",
                lambda said: (
                    opened.complaints.append(f"{said.type}: {said.text}")
                    if said.type in {"error", "warning"}
                    else None
                ),
            )
            opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
            yield opened
        finally:
            browser.close()
