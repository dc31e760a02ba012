"""Man pages and shell completions, written from the command tree: ``python -m natsctl.cli.docs --write``."""
