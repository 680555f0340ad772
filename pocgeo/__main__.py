"""`python -m pocgeo` is the command line."""

from pocgeo.doors.cli import run

if __name__ == "__main__":
    run()
