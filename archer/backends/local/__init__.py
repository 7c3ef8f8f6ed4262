"""Spark on this machine: one attempt, one folder, one small runner process, one session of Spark's processes.

The folder is the contract between the parts, so that none needs another to be alive:
`spec.json` (what to run, by the dispatcher), `started.json` (who runs it, taken once), `child.json` (Spark's process),
`stop.json` (a request to end it), `driver.log`, `stdout.log`, `outcome.json` (how it ended, by the runner).
"""
