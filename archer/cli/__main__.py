"""`python -m archer.cli`: the same program where no `archer` is on PATH."""

from archer.cli import main

main()
