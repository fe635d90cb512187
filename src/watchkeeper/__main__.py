"""`python -m watchkeeper` is the command `watchkeeper`."""

from watchkeeper.cli import main

main()
