import ast
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moka_constructs.manifest_set.assets import ENTRY, HANDLER, code, publish_code
from moka_constructs.manifest_set.handler import bundle

Template = Callable[[Callable[[Any], object]], dict[str, dict[str, Any]]]


def shipped(template: Template, assembly: Path) -> bytes:
    template(lambda stack: publish_code(stack, "Code"))
    assets = json.loads((assembly / "Test.assets.json").read_text())["files"]
    (path,) = (each["source"]["path"] for each in assets.values() if each["source"]["path"].endswith(".zip"))
    return Path(assembly, path).read_bytes()


def test_the_code_that_is_tested_is_the_code_that_is_deployed(template: Template, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(shipped(template, tmp_path / "assembly"))) as archive:
        found = {name: archive.read(name).decode() for name in archive.namelist()}

    assert found == {f"handler/{file.name}": file.read_text() for file in HANDLER.glob("*.py")}
    assert f"handler/{ENTRY.split('.')[1]}.py" in found


def test_the_same_sources_give_the_same_bytes() -> None:
    assert bundle.write(code()) == bundle.write(code())


def test_the_function_needs_the_standard_library_and_boto3_alone() -> None:
    imported = set()
    for source in code().values():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(str(node.module).split(".")[0])

    assert {name for name in imported if name not in sys.stdlib_module_names} == {"boto3", "botocore"}


def test_the_function_is_loaded_from_its_zip_without_this_project(template: Template, tmp_path: Path) -> None:
    folder = tmp_path / "function"
    with zipfile.ZipFile(io.BytesIO(shipped(template, tmp_path / "assembly"))) as archive:
        archive.extractall(folder)
    script = "import sys; sys.path.insert(0, sys.argv[1]); import handler.index as index; print(index.__file__, 'moka_constructs' in sys.modules)"

    done = subprocess.run([sys.executable, "-I", "-c", script, str(folder)], capture_output=True, text=True, check=True)

    assert done.stdout.split() == [str(folder / "handler" / "index.py"), "False"]
