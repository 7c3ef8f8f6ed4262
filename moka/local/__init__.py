"""`moka local`: the whole of Moka on one machine, from the synth of every environment to the results of real Spark jobs.

- `command.py`: options, exit codes
- `session.py`: what happens in which order, in one loop that never blocks for long
- `work.py`: what is submitted: the examples with their data, or submissions of your own
- `server.py`: `archer serve` as a child
- `screen.py`: progress: live on a terminal, a line per change elsewhere
- `results.py`: result tables, durations, diagnoses, addresses
- `shutdown.py`: leaving no process behind
- `signals.py`: Ctrl-C and SIGTERM as a flag, looked at between two steps

It talks to Archer through the public HTTP API only, as any other client does.
"""
