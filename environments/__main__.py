"""Entry of `python -m environments`."""

from environments.cli import main

main()
