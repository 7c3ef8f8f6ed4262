"""Stands in for SparkSubmit where a test is about Archer, not Spark: takes its arguments, writes an event log's folder,
then becomes the application. Configured by the operator's setting `spark_submit_command`.
"""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

words = sys.argv[1:]
options: dict[str, str] = {}
while words and words[0].startswith("--"):
    options[words[0]] = words[1]
    words = words[2:]
properties = dict(line.split("=", 1) for line in Path(options["--properties-file"]).read_text().splitlines())
conf = {key: value.encode().decode("unicode_escape") for key, value in properties.items()}
events = Path(urlsplit(conf["spark.eventLog.dir"]).path)
(events / f"eventlog_v2_{conf['spark.test.appId']}").mkdir(exist_ok=True)
os.execv(sys.executable, [sys.executable, *words])
