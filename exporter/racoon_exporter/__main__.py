"""`python -m racoon_exporter`."""

from racoon_exporter.cli import run

if __name__ == "__main__":
    run()
