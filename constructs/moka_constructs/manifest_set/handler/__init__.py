"""Delivers a set of rendered manifests to a cluster: as a Lambda function behind a custom resource, and inside `moka apply`.

Needs the standard library and boto3, nothing else: it is shipped as it is here, without layers. `manifest_set.run` is
the table of contents, `index` what AWS calls.
"""
