"""One module for each screen of the dashboard; :mod:`~natsctl.tui.screens.base` has what they share."""
