"""Standard tools read the OpenAPI file: two linters find nothing, and the clients of three generators compile.

The tools are no part of the project's environment: npm installs `package.json`, and uv runs the Python ones, in pinned versions.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from apps.developers.contract import openapi

HERE = Path(__file__).parent
UV = Path(sys.executable).with_name("uv")
PYTHON_GENERATOR, JAVA_GENERATOR = "openapi-python-client==0.29.1", "openapi-generator-cli==7.26.0"
IMPORT_ALL = """
import importlib, pkgutil, sys
import arocord_hims_api_client as client
names = [one.name for one in pkgutil.walk_packages(client.__path__, "arocord_hims_api_client.")]
for name in names: importlib.import_module(name)
print(len(names))
"""
READ_SELECTED = """
from arocord_hims_api_client.models import PatientListReply, PatientReply
reply = PatientReply.from_dict({"success": True, "data": {"patient": {"contact": {"phone": "2135550142"}}}})
page = {"page": 1, "limit": 20, "total": 1, "pages": 1, "next_cursor": None}
rows = PatientListReply.from_dict({"success": True, "data": {"patients": [{"mrn": "MRN-1"}], "pagination": page}})
print(reply.data.patient.contact.phone, rows.data.patients[0].mrn)
"""
pytestmark = pytest.mark.full


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs a command in the folder, for at most ten minutes."""
    return subprocess.run([str(one) for one in command], cwd=folder, capture_output=True, text=True, timeout=600, check=False)


def succeed(folder: Path, *command: str | Path) -> str:
    """Returns what the command prints. Fails with its errors where it fails."""
    result = run(folder, *command)
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the OpenAPI file and the settings of the tools."""
    path = tmp_path_factory.mktemp("clients")
    for file in HERE.iterdir():
        if file.suffix in {".json", ".yaml", ".ts", ".java"}:
            shutil.copy(file, path)
    (path / "openapi.json").write_bytes(openapi.as_json())
    return path


@pytest.fixture(scope="module")
def npm(folder: Path) -> Path:
    """The folder of the commands that npm installed."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    result = run(folder, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund")
    if result.returncode:
        pytest.skip(f"npm could not install the tools: {result.stderr.strip()[-200:]}")
    return folder / "node_modules" / ".bin"


def require_uv(*tool: str) -> None:
    """Skips the test where uv cannot run the tool."""
    if not UV.exists():
        pytest.skip("uv is not in the virtual environment")
    result = run(HERE, UV, "run", "--no-project", *tool, "python", "-c", "")
    if result.returncode:
        pytest.skip(f"uv could not install {tool[-1]}: {result.stderr.strip()[-200:]}")


def test_redocly_finds_nothing(folder: Path, npm: Path) -> None:
    printed = run(folder, npm / "redocly", "lint", "--format=json", "--config=redocly.yaml", "openapi.json").stdout
    report = json.loads(printed[printed.index("{") :])
    assert report["problems"] == []


def test_spectral_finds_nothing(folder: Path, npm: Path) -> None:
    succeed(folder, npm / "spectral", "lint", "--ruleset=spectral.yaml", "--fail-severity=hint", "openapi.json")


def test_the_types_for_typescript_compile_and_are_narrow(folder: Path, npm: Path) -> None:
    succeed(folder, npm / "openapi-typescript", "openapi.json", "-o", "schema.d.ts")
    succeed(folder, npm / "tsc", "--strict", "--noEmit", "--target", "es2022", "--typeRoots", "none", "schema.d.ts", "Usage.ts")


def test_the_generated_python_client_can_be_imported_and_reads_selected_fields(folder: Path) -> None:
    require_uv("--with", PYTHON_GENERATOR)
    succeed(
        folder,
        *(UV, "run", "--no-project", "--with", PYTHON_GENERATOR, "openapi-python-client", "generate"),
        *("--path", "openapi.json", "--output-path", "python_client", "--overwrite", "--meta", "none"),
    )
    (folder / "python_client").rename(folder / "arocord_hims_api_client")
    imported = succeed(folder, UV, "run", "--no-project", "--with", PYTHON_GENERATOR, "python", "-c", IMPORT_ALL)
    assert int(imported) > 300
    assert not list((folder / "arocord_hims_api_client" / "models").glob("*type_[0-9].py"))
    selected = succeed(folder, UV, "run", "--no-project", "--with", PYTHON_GENERATOR, "python", "-c", READ_SELECTED)
    assert selected.split() == ["2135550142", "MRN-1"]


def test_the_generated_java_client_compiles(folder: Path) -> None:
    if shutil.which("javac") is None:
        pytest.skip("javac is not installed (on Debian: default-jdk-headless)")
    require_uv("--with", JAVA_GENERATOR)
    where = "import openapi_generator_cli, pathlib; print(pathlib.Path(openapi_generator_cli.__file__).parent)"
    python = (UV, "run", "--no-project", "--with", JAVA_GENERATOR, "python", "-c", where)
    jar = Path(succeed(folder, *python).strip()) / "openapi-generator.jar"  # it contains Jackson, which the client needs
    options = "openApiNullable=false,annotationLibrary=none,hideGenerationTimestamp=true"
    succeed(
        folder,
        *("java", "-Xmx700m", "-jar", jar, "generate", "-i", "openapi.json", "-g", "java", "--library", "native"),
        *("-o", "java_client", "-p", options, "--global-property", "apiTests=false,modelTests=false"),
    )
    sources = sorted((folder / "java_client" / "src" / "main").rglob("*.java"))
    assert len(sources) > 200
    succeed(folder, "javac", "-nowarn", "-proc:none", "-d", "classes", "-cp", jar, "Generated.java", *sources)
