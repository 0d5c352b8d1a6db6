"""Documentation, compose.yaml and fronts: what they promise, as far as it shows without an engine."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml

from app.api.application import create_api
from app.api.reference import DOCUMENTS, renewed
from app.settings import Settings
from tests.api.service import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
WORKERS = ("scan", "ingest", "index", "chores")
ONCE = ("secrets", "setup")
OURS = [name for name in SERVICES if name not in ("postgres", "redis")]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_generated_parts_are_current(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert renewed(text, create_api(Settings())) == text, "write it anew: python -m app.api.reference"


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        assert field.description
        assert f"`WHENCE_{name.upper()}`" in text


def test_compose_has_every_process_and_brings_it_back() -> None:
    assert set(SERVICES) == {"api", "postgres", "redis", *WORKERS, *ONCE}
    for name, service in SERVICES.items():
        assert service["restart"] == ("no" if name in ONCE else "unless-stopped"), name
        assert "no-new-privileges:true" in service["security_opt"]
        assert set(service.get("depends_on", {})) <= set(SERVICES)
    for name in ("api", "postgres", "redis"):
        assert "test" in SERVICES[name]["healthcheck"]
    assert SERVICES["api"]["ports"] == ["127.0.0.1:8321:8321"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["api"]


def test_our_processes_run_confined() -> None:
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["tmpfs"] == ["/tmp"]
        assert ("user" in service) == (name == "secrets"), "only who makes the passwords is root"
        volumes = {volume.split(":")[0] for volume in service["volumes"]}
        assert volumes <= set(COMPOSE["volumes"])


def test_compose_holds_no_secret() -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY|URL", variable):
                assert variable.endswith("_FILE"), variable
                assert value.startswith("/secrets/")
    for password in re.findall(r"://\w*:(.+?)@|--requirepass (\S+ \S+)", text):
        assert re.fullmatch(r'"?\$\$\(cat /secrets/\w+\)"?', "".join(password)), password


def scripts() -> list[tuple[str, str]]:
    return [
        (name, part.replace("$$", "$"))
        for name, service in SERVICES.items()
        for part in service.get("command", ())
        if "\n" in part
    ]


@pytest.mark.parametrize(("name", "script"), scripts())
def test_commands_are_valid_and_call_what_exists(name: str, script: str) -> None:
    subprocess.run(["sh", "-n", "-c", script], check=True)
    for module in re.findall(r'-m "?(workers\.\S+?)"?$', script, re.MULTILINE):
        worker = SERVICES[name]["environment"]["WORKER"]
        assert worker == name
        assert (ROOT / "workers" / f"{module.split('.')[1].replace('$WORKER', worker)}.py").exists()


def test_passwords_are_made_once(tmp_path: Any) -> None:
    script = dict(scripts())["secrets"].replace("/secrets", str(tmp_path)).replace("chown", "true")
    seen = []
    for _ in range(2):
        subprocess.run(["sh", "-ec", script], check=True)
        seen.append({path.name: path.read_text() for path in tmp_path.iterdir()})
    assert set(seen[0]) == {"postgres", "redis"}
    assert all(re.fullmatch("[0-9a-f]{64}", password) for password in seen[0].values())
    assert seen[0] == seen[1]


def test_fronts_name_the_port_and_the_limits_of_the_service() -> None:
    settings = Settings()
    nginx = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    caddy = (ROOT / "deploy" / "Caddyfile").read_text("utf-8")
    for front in (nginx, caddy):
        assert f"127.0.0.1:{settings.port}" in front
    assert f"client_max_body_size {settings.max_body >> 20}m;" in nginx
    assert f"max_size {settings.max_body >> 20}MB" in caddy
    assert {"client_header_timeout", "client_body_timeout", "send_timeout"} <= set(
        re.findall(r"\w+_timeout", nginx)
    )
    assert nginx.count("{") == nginx.count("}")
    assert caddy.count("{") == caddy.count("}")
