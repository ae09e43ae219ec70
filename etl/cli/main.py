"""The command line: commands in the order of the work (`build.py --help`). Each imports what it needs when it runs."""

import click

from etl.cli import document_commands as _documents  # noqa: F401 - adds its commands to `report`
from etl.cli.options import Main, Settings
from etl.cli.record_commands import lock_base_command, record_command
from etl.cli.release_commands import publish_command, release_command, verify_command
from etl.cli.report_commands import report_command
from etl.cli.rollup_commands import rollup_command
from etl.cli.serve_commands import serve_command
from etl.cli.staff_commands import staff_command
from etl.cli.synthetic_commands import demo_command, synthesize_command
from etl.cli.vault_commands import doctor_command, vault_command
from etl.cli.workbook_commands import check_command, issue_command, load_command, passwords_command, status_command


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Fuxue 复学：从省级名单到受保护的公开页面 — from a province list to a protected public page."""
    context.ensure_object(Settings)


for command in (
    demo_command, synthesize_command, issue_command, passwords_command, check_command, load_command, report_command,
    record_command, lock_base_command, vault_command, doctor_command, status_command, release_command, publish_command,
    verify_command, rollup_command, serve_command, staff_command,
):  # fmt: skip
    main.add_command(command)
