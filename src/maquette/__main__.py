"""`python -m maquette` is the command line."""

from maquette.cli import main

main()
