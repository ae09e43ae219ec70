"""The command line: commands in the order of the work (`build.py --help`). Each loads what it needs when it runs."""

import click

from etl.cli.options import Main, Settings
from etl.cli.record_commands import lock_base, record
from etl.cli.release_commands import publish, release, verify
from etl.cli.report_commands import report
from etl.cli.serve_commands import serve
from etl.cli.staff_commands import staff
from etl.cli.synthetic_commands import demo, synthesize
from etl.cli.vault_commands import doctor, vault
from etl.cli.workbook_commands import check, issue, load, passwords, status


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Fuxue 复学：从省级名单到受保护的公开页面 — from a province list to a protected public page."""
    context.ensure_object(Settings)


for command in (
    demo, synthesize, issue, passwords, check, load, report, record, lock_base, vault, doctor,
    status, release, publish, verify, serve, staff,
):  # fmt: skip
    main.add_command(command)
