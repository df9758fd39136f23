"""`python -m deepfake`: the command line."""

from deepfake.cli.main import main

if __name__ == "__main__":
    main()
