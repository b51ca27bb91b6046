"""`retentiond check`: are the settings and the schedule sound?"""

from __future__ import annotations

import typer

from agent.cli import options


def check(
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Check the settings and the retention schedule, say what is in them, and how documents are confined here.

    Every problem is named with its file, line and field; then the exit code is 4.

    Example:  retentiond check --schedule my-schedule.yaml
    """
    from agent import bootstrap
    from agent.reports.words import say_confinement

    settings = bootstrap.settings_from(config)
    checked = bootstrap.schedule_from(schedule or settings.schedule)
    unknown = [
        f"tenants.{tenant.name}.labels.{class_id}"
        for tenant in settings.tenants
        for class_id in tenant.labels
        if class_id not in checked.by_id
    ]
    confinement = bootstrap.confinement(settings)
    facts = {
        "configuration": str(config or bootstrap.configuration_file()),
        "shares": [share.name for share in settings.shares],
        "tenants": [tenant.name for tenant in settings.tenants],
        "schedule": checked.id,
        "version": checked.version,
        "classes": [retention_class.id for retention_class in checked.classes],
        "unknown_classes": unknown,
        "confinement": {"landlock": confinement.landlock, "unrefused": list(confinement.unrefused)},
    }
    if json:
        import json as codec

        typer.echo(codec.dumps(facts, indent=2))
        return
    typer.echo(f"Settings: sound ({len(settings.shares)} shares, {len(settings.tenants)} tenants).")
    for place in unknown:
        typer.echo(f"{place}: the schedule has no such class, so that no file gets this label.")
    typer.echo(f"Schedule: {checked.title}, version {checked.version}: sound ({len(checked.classes)} classes).")
    typer.echo(say_confinement(confinement))
