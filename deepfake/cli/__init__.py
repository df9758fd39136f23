"""The command line: `main` holds the commands, the other files define them."""
