"""What `retentiond check` says of settings that are sound and can hardly be meant."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from agent.cli.app import app

SETTINGS = """\
tenants:
  - name: contoso
    tenant_id: contoso.onmicrosoft.com
    reader: {client_id: 11111111-2222-3333-4444-555555555555, secret_file: /etc/reader}
    labels: {payroll: Pay, payrol: Pay}
"""


def test_labels_of_classes_that_the_schedule_does_not_have_are_told(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    check = ["check", f"--config={tmp_path / 'settings.yaml'}", "--schedule=uk-default"]
    done = CliRunner().invoke(app, check, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    assert "tenants.contoso.labels.payrol: the schedule has no such class" in done.stdout
    assert "labels.payroll:" not in done.stdout
    told = json.loads(CliRunner().invoke(app, [*check, "--json"]).stdout)
    assert told["unknown_classes"] == ["tenants.contoso.labels.payrol"]
