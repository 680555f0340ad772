"""Renew or verify the files of others that ship in pocgeo/products/assets/vendor.

`python scripts/renew_vendor.py` compares every file with the digest in manifest.json.
`python scripts/renew_vendor.py --renew` fetches the pinned npm packages with `npm pack`,
checks that the files are the ones recorded (or, with `--accept`, records the new digests).
Files are kept unchanged, byte for byte.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).resolve().parents[1] / "pocgeo" / "products" / "assets" / "vendor"
MANIFEST = VENDOR / "manifest.json"


def digest(content: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(content).hexdigest()


def verify(manifest: dict[str, Any]) -> list[str]:
    """Name every packaged file that is absent, changed or not in the manifest."""
    faults, known = [], {"manifest.json"}
    for package in manifest["packages"]:
        for entry in package["files"]:
            path = VENDOR / entry["file"]
            known.add(entry["file"])
            if not path.is_file():
                faults.append(f"{entry['file']}: absent. Run with --renew.")
            elif digest(path.read_bytes()) != entry["sha256"]:
                faults.append(f"{entry['file']}: not the recorded file. Run with --renew.")
    stray = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    return faults + [f"{name}: not in manifest.json." for name in sorted(stray - known)]


def fetched(package: dict[str, Any], folder: Path) -> dict[str, bytes]:
    """Fetch one pinned package by name with npm; no scripts run, nothing is installed."""
    name = f"{package['npm']}@{package['version']}"
    made = subprocess.run(
        ["npm", "pack", "--silent", name], cwd=folder, check=True, capture_output=True, text=True
    )
    with tarfile.open(folder / made.stdout.split()[-1]) as archive:
        return {
            entry["from"]: archive.extractfile(f"package/{entry['from']}").read()
            for entry in package["files"]
        }


def renew(manifest: dict[str, Any], *, accept: bool) -> list[str]:
    """Fetch every package and write its files; a file that differs from its digest is a fault."""
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        for package in manifest["packages"]:
            contents = fetched(package, Path(folder))
            for entry in package["files"]:
                content = contents[entry["from"]]
                if accept:
                    entry["sha256"], entry["bytes"] = digest(content), len(content)
                elif digest(content) != entry.get("sha256"):
                    faults.append(f"{entry['file']}: {package['npm']} now gives other bytes.")
                    continue
                path = VENDOR / entry["file"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    if accept:
        MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return faults


def main() -> int:
    """Read the arguments; faults are printed one to a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--renew", action="store_true", help="fetch the pinned packages")
    parser.add_argument("--accept", action="store_true", help="record the digests that come")
    arguments = parser.parse_args()
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    faults = renew(manifest, accept=arguments.accept) if arguments.renew else verify(manifest)
    for fault in faults:
        print(fault)
    if not faults:
        print("Every vendored file is the recorded one.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
