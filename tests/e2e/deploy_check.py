"""What deploy/ says, against what the program is: metrics, labels, flags, folders, libraries.

    deploy_check.py URL KEY BINARY < the text of `safeguard serve --help`
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

DEPLOY = pathlib.Path(__file__).parents[2] / "deploy"
failures: list[str] = []
checks = 0


def check(good: bool, what: str) -> None:
    global checks
    checks += 1
    if not good:
        failures.append(what)


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text()


def served_metrics(url: str, key: str) -> dict[str, set[str]]:
    """Each series' name with the labels it comes with."""
    request = urllib.request.Request(f"{url}/metrics", headers={"X-API-Key": key})
    with urllib.request.urlopen(request, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    served: dict[str, set[str]] = {}
    for line in lines:
        if found := re.match(r"([a-z_]+)(?:\{(.*)\})? ", line):
            served.setdefault(found[1], set()).update(re.findall(r'(\w+)="', found[2] or ""))
    return served


def expressions() -> Iterator[tuple[str, str]]:
    dashboard = json.loads(text_of("grafana/safeguard.json"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"the dashboard's {panel['title']}", target["expr"]
    yield "the dashboard's instances", dashboard["templating"]["list"][1]["definition"]
    # Either on the line itself or in the block under it.
    for found in re.finditer(r"alert: (\w+)\n +expr: (?:\|\n((?: {10}.*\n)+)|(.*)\n)", text_of("prometheus/alerts.yaml")):
        yield f"the alert {found[1]}", found[2] or found[3]


def check_metrics(served: dict[str, set[str]]) -> None:
    used: set[str] = set()
    given_by_prometheus = {"instance", "job"}
    for where, expression in expressions():
        names = re.findall(r"\b((?:safety|safeguard)_[a-z_]+)(?:\{([^}]*)\})?", expression)
        check(bool(names) or "up{" in expression, f"{where} asks for no metric")
        labels = set(re.findall(r"\b(?:by|on) \(([\w, ]+)\)", expression))
        grouped = {label.strip() for group in labels for label in group.split(",")}
        for name, selector in names:
            used.add(name)
            check(name in served, f"{where} uses {name}, which /metrics has not")
            known = served.get(name, set()) | given_by_prometheus
            for label in re.findall(r"(\w+)[!=]~?\"", selector):
                check(label in known, f"{where} selects {name} by {label}; it has {sorted(known)}")
        known = given_by_prometheus.union(*(served.get(name, set()) for name, _ in names))
        for label in grouped:
            check(label in known, f"{where} groups by {label}, which its metrics have not")
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    for name in served:
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        # Fails for a new metric too: somebody has to decide where it is looked at.
        check(family in families, f"/metrics has {family}, which nobody looks at")


def check_flags(help_text: str) -> None:
    known = set(re.findall(r"--[a-z-]+", help_text))
    commands = {
        "systemd/safeguard.service": re.search(r"ExecStart=\S+ serve (.*)", text_of("systemd/safeguard.service")),
        "docker/Dockerfile": re.search(r'CMD \["serve", (.*)\]', text_of("docker/Dockerfile")),
        "kubernetes/deployment.yaml": re.search(r"args: \[serve, (.*)\]", text_of("kubernetes/deployment.yaml")),
    }
    for name, command in commands.items():
        check(command is not None, f"{name} does not serve")
        flags = re.findall(r"--[a-z-]+", command[1] if command else "")
        check("--data-dir" in flags and "/var/lib/safeguard" in (command[1] if command else ""), f"{name} keeps nothing")
        for flag in flags:
            check(flag in known, f"{name} uses {flag}, which serve has not")
    for name in ("docker/Dockerfile", "kubernetes/deployment.yaml"):
        check("10001" in text_of(name), f"{name} runs as another user than the image's")
    drain = int((re.search(r"--drain-s.*\n?.*default: (\d+)", help_text) or [0, "0"])[1])
    for name, pattern in (
        ("systemd/safeguard.service", r"TimeoutStopSec=(\d+)"),
        ("kubernetes/deployment.yaml", r"terminationGracePeriodSeconds: (\d+)"),
    ):
        found = re.search(pattern, text_of(name))
        check(found is not None and int(found[1]) >= drain + 10 > 10, f"{name} kills before {drain} s have drained")


def check_libraries(binary: str) -> None:
    """Debian names a library's package: each that the program names is in the image's list."""
    needed = subprocess.run(["objdump", "-p", binary], capture_output=True, text=True, check=True).stdout
    listed = set(text_of("docker/Dockerfile").split("FROM debian:12-slim\n")[1].split())
    in_the_base_image = {"libc6", "libgcc-s1"}
    for library in re.findall(r"NEEDED +(\S+)", needed):
        found = subprocess.run(["dpkg", "-S", f"*/{library}"], capture_output=True, text=True)
        packages = {line.split(":")[0] for line in found.stdout.splitlines()} - {""}
        check(bool(packages & (listed | in_the_base_image)), f"{library} of {sorted(packages)} is not in the image")


def main() -> None:
    url, key, binary = sys.argv[1:]
    check_metrics(served_metrics(url, key))
    check_flags(sys.stdin.read())
    check_libraries(binary)
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{checks} checks, {len(failures)} failures")
    sys.exit(1 if failures or checks < 100 else 0)


main()
