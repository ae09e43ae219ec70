"""Commands that run servers: the staff instance, and the public site with its open data."""

import click

from etl.cli.options import Group, Settings

PORT = click.IntRange(1, 65535)


@click.group(cls=Group, invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--staff-port", type=PORT, default=8001, show_default=True)
@click.option("--site-port", type=PORT, default=8000, show_default=True)
@click.option("--data-port", type=PORT, default=8002, show_default=True)
@click.pass_context
def serve_command(context: click.Context, host: str, staff_port: int, site_port: int, data_port: int) -> None:
    """Serve the staff instance and the public site, or only one of them (serve staff, serve public); Ctrl-C ends."""
    from etl.cli import show
    from etl.workflow import serving, staffing

    context.meta["at"] = host, serving.Ports(staff_port, site_port, data_port)
    if context.invoked_subcommand is None:
        given: Settings = context.obj
        run = given.run()
        tls = serving.check_addresses(run, host, staff_port, site_port, data_port)
        show.show_addresses(host, {"staff": staff_port, "site": site_port, "data": data_port},
                            staffing.demo_logins(given.home, run), tls=tls)  # fmt: skip
        serving.serve_both(run, host, serving.Ports(staff_port, site_port, data_port))


@serve_command.command("staff")
@click.pass_context
def serve_staff_command(context: click.Context) -> None:
    """Serve the staff Datasette, in which each account sees its own scope."""
    from etl.cli import show
    from etl.workflow import serving, staffing

    host, ports = context.meta["at"]
    run = context.obj.run()
    tls = serving.check_addresses(run, host, ports.staff)
    show.show_addresses(host, {"staff": ports.staff}, staffing.demo_logins(context.obj.home, run), tls=tls)
    serving.serve_staff(run, host, ports)


@serve_command.command("public")
@click.pass_context
def serve_public_command(context: click.Context) -> None:
    """Serve the static site and a Datasette with fuxue.db; needs no key."""
    from etl.cli import show
    from etl.workflow import serving

    host, ports = context.meta["at"]
    serving.check_ports(host, ports.site, ports.data)
    show.show_addresses(host, {"site": ports.site, "data": ports.data}, [])
    serving.serve_public(context.obj.home, host, ports)
