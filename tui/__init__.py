"""The dashboard and the command line. They use the engine, which imports nothing from here."""

import sys

from .import_path import close, is_program
from .interrupts import end_at_once

# Before anything else is imported: Python has put the current folder, or that of the script, first on the path.
if is_program(sys.argv):
    end_at_once()
    close()
