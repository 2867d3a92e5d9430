"""The wheel is whole: installed into an empty environment it does the main job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel):
    """An empty environment with the built wheel; its libraries are those of ours.

    Downloading them again would test the network: they are lent by a .pth file,
    which holds nothing of this project.
    """
    environment = wheel.parent / "environment"
    venv.create(environment, with_pip=False)
    [site] = environment.glob("lib/python*/site-packages")
    pip = (sys.executable, "-m", "pip", "install", "--no-deps", "--target", site)
    run(*pip, "--disable-pip-version-check", wheel)
    libraries = Path(pytest.__file__).parent.parent
    (site / "libraries.pth").write_text(f"{libraries}\n")
    return environment / "bin" / "python"


def run(*command, cwd=None, **environ):
    ran = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C.UTF-8", **environ},
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_installed_package_is_the_wheel(installed, tmp_path):
    code = "import heygen_nb; print(heygen_nb.__file__)"

    package = Path(run(installed, "-c", code, cwd=tmp_path).strip()).parent

    assert package.is_relative_to(installed.parent.parent)
    assert (package / "py.typed").exists()


# None of it can be used, and none of it matters to what is on this machine.
UNUSABLE = {
    "ALL_PROXY": "socks4://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:not-a-port",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "[::1]",
    "SSL_CERT_FILE": "/nowhere/bundle.pem",
    "SSL_CERT_DIR": "/nowhere",
}


@pytest.mark.soak
def test_the_demo_runs_from_another_folder_and_never_pays_for_real(installed, tmp_path):
    """In Russian, so that the catalogues are in the wheel too."""
    keys = {
        "HEYGEN_API_KEY": "sk_real_key",
        "HEYGEN_BASE_URL": "https://127.0.0.1:9",
        "TELEGRAM_BOT_TOKEN": "123456789:real_token_real_token_real",
        "TELEGRAM_BASE_URL": "https://127.0.0.1:9/bot",
        "TELEGRAM_CHAT_ID": "42",
        "HEYGEN_NB_BACKEND": "heygen",
    }
    demo = (installed, "-m", "heygen_nb", "demo", "--language", "ru")

    shown = run(*demo, cwd=tmp_path, **keys, **UNUSABLE)

    assert "📱" in shown
    assert "Видео" in shown
    films = tmp_path.glob("videos/*/*.mp4")
    [film] = [path for path in films if path.name != "source.mp4"]
    assert film.stat().st_size > 100_000
    assert list(tmp_path.glob("videos/*/*.srt"))
    assert list(tmp_path.glob("videos/*/*.jpg"))


def test_notebooks_examples_and_migrations_are_in_it(installed, tmp_path):
    code = (
        "from heygen_nb.files import packaged; import heygen_nb.ledger as l;"
        "print(*[p.name for n in ('examples', 'notebooks')"
        " for p in packaged(n).iterdir()]);"
        "l.Ledger('sqlite:///fresh.db').close()"
    )

    shown = run(installed, "-c", code, cwd=tmp_path)

    assert "hello_ru.md" in shown
    assert "01_studio.ipynb" in shown


def test_it_writes_scripts_offline(installed, tmp_path):
    run(installed, "-m", "heygen_nb", "write", "Leo", cwd=tmp_path)
    run(installed, "-m", "heygen_nb", "write", "Лев", cwd=tmp_path)

    assert len(list(tmp_path.glob("drafts/*.md"))) == 2


ENVIRONMENTS = Path(__file__).parent / "environments"


def pins_of(name):
    lines = (ENVIRONMENTS / f"{name}.txt").read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith(("#", "-"))]


@pytest.mark.parametrize("name", ["colab", "vscode"])
def test_what_other_homes_of_notebooks_bring_is_new_enough_for_us(name):
    ours = {
        (need := Requirement(text)).name.lower(): need.specifier
        for text in requires("heygen-nb")
        if "extra ==" not in text
    }

    for pin in pins_of(name):
        [version] = [str(one.version) for one in pin.specifier]
        assert version in ours.get(pin.name.lower(), SpecifierSet()), pin


@pytest.mark.soak
def test_pip_changes_nothing_of_what_colab_brings(wheel, tmp_path):
    """By pip's own dry run; google-colab itself is in no registry, only in Colab."""
    venv.create(tmp_path / "colab", with_pip=False)
    python = tmp_path / "colab" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet")
    run(*pip, "-r", ENVIRONMENTS / "colab.txt")
    report = tmp_path / "report.json"

    run(*pip, "--dry-run", "--report", report, wheel)

    planned = json.loads(report.read_text())["install"]
    names = {one["metadata"]["name"].lower().replace("_", "-") for one in planned}
    assert "heygen-nb" in names
    kept = {pin.name.lower().replace("_", "-") for pin in pins_of("colab")}
    assert not names & {*kept, "google-colab"}
