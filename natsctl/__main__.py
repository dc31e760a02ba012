"""``python -m natsctl`` is the ``natsctl`` command."""

from natsctl.cli.main import main

if __name__ == "__main__":
    main()
