"""``python -m tsws`` is ``tsws``."""

from tsws.cli.main import main

if __name__ == "__main__":
    main()
