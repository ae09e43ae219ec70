"""Fuxue's command line: `python build.py --help`. The commands are in `etl/cli/main.py`."""

if __name__ == "__main__":
    # Imported here only: each workbook is read by a child process, which looks at this file but needs no command line.
    from etl.cli.main import main

    main()
