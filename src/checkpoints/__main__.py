"""`python -m checkpoints`: the command line."""

from checkpoints.cli import main

if __name__ == "__main__":
    main()
