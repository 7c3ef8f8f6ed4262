"""The zip files that a deploy of manifests copies into the bootstrap bucket: the function's code, and bundles.

They are made here and named by their content. The CDK would zip a folder at deploy, with whatever lies in it.
"""

import hashlib
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from aws_cdk import AssetHashType
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from moka_constructs.manifest_set.handler import bundle

HANDLER: Final = Path(__file__).parent / "handler"
ENTRY: Final = "handler.index.handle"
"""What Lambda calls in the zip."""


@cache
def code() -> Mapping[str, str]:
    """Return {path in the zip: source} of the function."""
    return {f"handler/{file.name}": file.read_text(encoding="utf-8") for file in sorted(HANDLER.glob("*.py"))}


def publish(scope: Construct, construct_id: str, file: Path, digest: str) -> s3_assets.Asset:
    """Let the deploy of the scope's stack copy a zip file whose content has that digest."""
    return s3_assets.Asset(scope, construct_id, path=str(file), asset_hash=digest, asset_hash_type=AssetHashType.CUSTOM)


def publish_code(scope: Construct, construct_id: str) -> s3_assets.Asset:
    """Let the deploy copy the function's code."""
    with tempfile.TemporaryDirectory(prefix="moka-function-") as folder:
        file = Path(folder) / "function.zip"
        file.write_bytes(bundle.write(code()))
        # the CDK takes its copy at once
        return publish(scope, construct_id, file, _digest())


@cache
def _digest() -> str:
    return hashlib.sha256(bundle.digest(code()).encode()).hexdigest()
