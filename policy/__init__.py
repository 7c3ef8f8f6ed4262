"""Policy checks over every template of every environment: cdk-nag (AwsSolutions), cfn-lint, checkov.

`python -m policy` (or `make policy`) synthesises all environments once, runs the three tools and compares what they find with
`suppressions.yaml`: a finding without a suppression fails, and so does a suppression without a finding. Nothing here is part of
a synth or of what is installed; checkov lives in an environment of its own, because it pins an old boto3.
"""
