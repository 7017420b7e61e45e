"""Everything that is installed is pinned by version and content, and listed in the software bill of materials."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from hims.launch.paths import PROJECT

LOCKED = ("requirements", "requirements-dev", "requirements-embedded", "requirements-install", "requirements-release")
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)
VERSIONED = re.compile(r":[^:@$]*\d+\.\d+(\.\d+)?[^:@$]*")  # at least major.minor, as the image's authors number


def pins(name: str) -> dict[str, str]:
    text = (PROJECT / name).read_text()
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in PIN.findall(text)}


@pytest.mark.parametrize("name", LOCKED)
def test_every_locked_package_carries_hashes(name: str) -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", (PROJECT / f"{name}.txt").read_text())
    packages = [block for block in blocks if PIN.match(block)]
    assert packages
    assert all("--hash=sha256:" in block for block in packages)


@pytest.mark.parametrize("name", LOCKED)
def test_the_lock_file_has_each_package_that_the_list_asks_for(name: str) -> None:
    asked, locked = pins(f"{name}.in"), pins(f"{name}.txt")
    assert asked
    assert asked.items() <= locked.items(), "Run `make lock`."


@pytest.mark.parametrize("name", LOCKED)
def test_each_package_in_a_list_has_its_reason(name: str) -> None:
    lines = [line for line in (PROJECT / f"{name}.in").read_text().splitlines() if PIN.match(line)]
    assert len(lines) == 1 or all("#" in line for line in lines)


def test_a_package_whose_content_differs_from_the_lock_is_refused(tmp_path) -> None:
    wheel = tmp_path / "hims_probe-1.0-py3-none-any.whl"
    wheel.write_bytes(b"not what was locked")
    (tmp_path / "locked.txt").write_text(f"hims-probe==1.0 --hash=sha256:{'0' * 64}\n")
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--find-links", str(tmp_path)]
    ended = subprocess.run(
        [*pip, "--require-hashes", "-r", str(tmp_path / "locked.txt")], capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    assert "hash" in ended.stderr.lower()


def test_the_bill_of_materials_lists_what_production_installs() -> None:
    components = json.loads((PROJECT / "docs" / "sbom.cdx.json").read_text())["components"]
    listed = {component["name"].lower().replace("_", "-").replace(".", "-"): component["version"] for component in components}
    assert listed == pins("requirements.txt"), "Run `make sbom`."


def test_base_images_name_one_version_and_take_a_digest() -> None:
    services = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]
    images = {image for service in services.values() if not (image := service["image"]).startswith("hims:")}
    assert images
    assert all(VERSIONED.search(image) and "_DIGEST:-}" in image for image in images), images
    dockerfile = (PROJECT / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"python:${PYTHON_TAG}${PYTHON_DIGEST}"}
    assert re.search(r"^ARG PYTHON_TAG=\d+\.\d+\.\d+-", dockerfile, re.MULTILINE)


def test_no_secret_is_printed_in_the_container_files() -> None:
    for name in ("Dockerfile", "compose.yaml"):
        assert not re.findall(r"(?:SECRET_KEY|JWT_KEY|KEY_RING|PASSWORD)(?:=|: )(?![\"']?\$)\S+", (PROJECT / name).read_text())


def test_make_knows_how_to_lock_and_list() -> None:
    make = shutil.which("make") or pytest.skip("make is not installed")
    for target in ("lock", "sbom"):
        assert subprocess.run([make, "--dry-run", target], cwd=PROJECT, capture_output=True, check=False).returncode == 0
