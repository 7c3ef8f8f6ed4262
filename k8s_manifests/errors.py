"""What a chart raises when it is asked for an object that Kubernetes would refuse or that breaks a rule of the platform.

A `ChartError` is a fault of a chart or of an environment that slipped past its checks; a file's own mistakes are
reported by `environments` before any chart is built.
"""


class ChartError(ValueError):
    """A manifest that must not be rendered; `where` is the chart or object, the message says what is wrong and what to do."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem
