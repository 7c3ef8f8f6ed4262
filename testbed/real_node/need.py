"""A Spark job with a fixed need: `need.py WHAT MIB`. It ends well where there is that much memory, and as Spark ends where not.

In the testbed's Spark image, at /opt/moka/need.py.
"""

import sys
import time

from pyspark.sql import SparkSession


def keep(mib: int) -> int:
    """Take so much memory, touch all of it, and hold it for a moment."""
    kept = [bytearray(b"x" * (1 << 20)) for _ in range(mib)]
    time.sleep(1)
    return len(kept)


def main(what: str, mib: int) -> None:
    spark = SparkSession.builder.getOrCreate()
    if what == "driver-python":
        found = keep(mib)
    elif what == "executor-python":
        (found,) = spark.sparkContext.parallelize([mib], 1).map(keep).collect()
    elif what == "driver-heap":
        jvm = spark._jvm  # noqa: SLF001  # Python has no other way to take memory of the driver's heap
        assert jvm is not None
        found = jvm.java.nio.ByteBuffer.allocate(mib << 20).capacity() >> 20
    else:
        raise ValueError(f"no such need: {what}")
    sys.stdout.write(f"had {found} MiB\n")
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
