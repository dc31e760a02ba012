"""The command line: one module per command parses arguments, calls what does the work and shows the result."""
