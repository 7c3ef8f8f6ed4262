"""`moka preflight ENV`: whether an AWS account can carry an environment, asked before anything is deployed.

The folder reads and never writes: `calls.py` refuses to declare a call that is not a Describe, List, Get or Lookup, and
`aws.py` refuses to make one that a check has not declared. A check fetches facts and judges them with pure functions; it
never prints, exits or lets an AWS exception out. boto3 is imported by `aws.py` alone.
"""

from moka.preflight.rows import Report, Row, State, Verdict
from moka.preflight.run import preflight

__all__ = ["Report", "Row", "State", "Verdict", "preflight"]
