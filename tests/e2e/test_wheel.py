"""What users install: the wheel alone, in a fresh environment, in an empty folder."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def quietly(*words: object, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    quietly(sys.executable, *build, cwd=folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture
def installed(wheel, tmp_path_factory) -> Path:
    """The folder of programs of an environment that holds the wheel; its dependencies are those of this one."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    quietly(
        *(sys.executable, "-m", "pip", "--python", folder / "bin" / "python"),
        *("--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index", wheel),
        cwd=folder,
    )
    # Plain text paths only: the editable install of the project is a .pth file, which is not read from here.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_the_wheel_holds_the_three_packages_the_plugin_and_the_corpus_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "fuzz",
        "strategies",
        "tlslab",
        "ocppfuzz_pytest.py",
    }
    assert "fuzz/_corpus/README.md" in names
    assert "fuzz/report/data/report.schema.json" in names
    assert "fuzz/app/data/ocppfuzz.schema.json" in names
    assert len([name for name in names if name.startswith("fuzz/_corpus/")]) > 600
    assert not [name for name in names if Path(name).name.startswith(("test_", "conftest"))]


def test_installed_from_the_wheel_it_finds_no_defect_and_leaves_only_findings(installed, tmp_path):
    own = {n: v for n, v in os.environ.items() if not n.startswith(("OCPPFUZZ_", "PYTHON"))}
    where = subprocess.run(
        [installed / "python", "-c", "import fuzz, strategies, tlslab; print(fuzz.__file__)"],
        cwd=tmp_path,
        env=own,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert Path(where).is_relative_to(installed.parent)

    done = subprocess.run(
        [installed / "ocppfuzz", "run", "--max-time", "12", "--no-color"],
        cwd=tmp_path,
        env=own,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NO FINDING" in done.stdout
    assert done.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == ["findings"]


def test_installed_from_the_wheel_pytest_finds_the_plugin_and_the_packaged_corpus(
    installed, tmp_path
):
    own = {n: v for n, v in os.environ.items() if not n.startswith(("OCPPFUZZ_", "PYTHON"))}
    done = subprocess.run(
        [
            *(installed / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("--ocppfuzz", "--ocppfuzz-self-test", "ocppfuzz::schema/list-empty"),
        ],
        cwd=tmp_path,
        env=own,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert list(tmp_path.iterdir()) == []
