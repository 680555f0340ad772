"""Open a file in headless Firefox, over Marionette; say what it asked for and complained of."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CANDIDATES = ("firefox-esr", "firefox")
PATIENCE_S = 40

PREFERENCES = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.proxy.type": 1,  # everything but files goes to a port where nobody listens
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.allow_hijacking_localhost": True,
    "toolkit.telemetry.enabled": False,
}


def firefox() -> str | None:
    """Path of a Firefox, from POCGEO_FIREFOX or the PATH; None where there is none."""
    named = os.environ.get("POCGEO_FIREFOX")
    if named:
        return named if Path(named).is_file() else None
    return next((path for name in CANDIDATES if (path := shutil.which(name))), None)


class Marionette:
    """Firefox's own remote control: JSON over a local socket, no driver needed."""

    def __init__(self, port: int) -> None:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.line = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        self.number = 0
        self.received()
        self.ask("WebDriver:NewSession", {})

    def received(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            length += self.line.recv(1)
        text = b""
        while len(text) < int(length[:-1]):
            text += self.line.recv(65536)
        return json.loads(text)

    def ask(self, command: str, given: dict[str, Any]) -> Any:
        self.number += 1
        said = json.dumps([0, self.number, command, given]).encode()
        self.line.sendall(b"%d:%s" % (len(said), said))
        _, _, error, result = self.received()
        assert error is None, error
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def evaluate(self, script: str, context: str = "content") -> Any:
        self.ask("Marionette:SetContext", {"value": context})
        return self.ask("WebDriver:ExecuteScript", {"script": f"return {script}", "args": []})

    def open(self, path: Path) -> None:
        """Open a file and wait until every map in it says that it is complete."""
        self.evaluate("Services.console.reset()", "chrome")
        self.ask("Marionette:SetContext", {"value": "content"})
        self.ask("WebDriver:Navigate", {"url": path.resolve().as_uri()})
        until = time.monotonic() + PATIENCE_S
        while self.state not in {"ready", "failed"}:
            assert time.monotonic() < until, f"{path.name} is never ready"
            time.sleep(0.1)

    @property
    def state(self) -> str:
        """What the page says of itself: ready or failed."""
        return str(self.evaluate("document.documentElement.dataset.pocgeo"))

    @property
    def outside(self) -> list[str]:
        """Requests for anything but the file itself."""
        asked = self.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
        return [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]

    @property
    def complaints(self) -> list[str]:
        """Errors of the page, from the browser's own console."""
        said = self.evaluate(
            "Services.console.getMessageArray().filter(m => m instanceof Ci.nsIScriptError"
            " && !(m.flags & Ci.nsIScriptError.warningFlag)"
            " && (m.sourceName || '').startsWith('file:')).map(m => m.errorMessage)",
            "chrome",
        )
        return list(said)


@contextmanager
def offline_firefox(folder: Path) -> Iterator[Marionette]:
    """Give a Firefox that cannot reach any network; skip where there is none."""
    path = firefox()
    if path is None:
        pytest.skip("no Firefox found: put one on the PATH or name it in POCGEO_FIREFOX")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    profile = folder / "profile"
    profile.mkdir(parents=True)
    wanted = {**PREFERENCES, "marionette.port": port}
    (profile / "user.js").write_text(
        "".join(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in wanted.items())
    )
    with subprocess.Popen(
        [path, "--headless", "--no-remote", "--profile", str(profile),
         "--marionette", "--remote-allow-system-access"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(folder), "MOZ_HEADLESS_WIDTH": "1280"},
    ) as running:  # fmt: skip
        try:
            seen = Marionette(port)
            with seen.line:
                yield seen
        finally:
            running.kill()
