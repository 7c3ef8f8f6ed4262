"""`python -m testbed.spark_operator controller start …`: the stand-in, with the arguments of the operator's container."""

import json
import logging
import sys
import threading
from datetime import UTC, datetime

from testbed.spark_operator.operator import run
from testbed.spark_operator.options import parse


class _Json(logging.Formatter):
    """One JSON object a line with the operator's keys, so that one reader serves both logs."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "level": record.levelname,
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "logger": record.name,
            "msg": record.getMessage(),
        }
        if record.exc_info:
            line["stacktrace"] = self.formatException(record.exc_info)
        return json.dumps(line)


def main() -> int:
    options = parse(sys.argv[1:])
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # a worker is one thread of many that wait: small stacks
    threading.stack_size(512 * 1024)
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
