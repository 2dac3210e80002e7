"""Checks of Dockerfile, compose.yaml and Kubernetes manifests, without a network: `make deploy-check`.

Each overlay is rendered by kubectl, validated against the schemas of Kubernetes and of custom resources, and checked
against policies. The programs are those of `.venv-deploy`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[1]
TOOLS = PROJECT / ".venv-deploy" / "bin"
KUBERNETES = PROJECT / "deploy" / "kubernetes"
OVERLAYS = ("overlays/production", "overlays/single-node", "jobs")
SECRETS = KUBERNETES / "overlays" / "single-node" / "secrets"
POLICY_EXCEPTIONS = {
    "CKV2_K8S_6": "the network policies of the Jobs are in the overlays",
    "CKV_DOCKER_7": "the base has a tag, in ARG BASE, which the check does not read",
    "CKV_K8S_15": "IfNotPresent: tags are never moved, and a node without registry restarts its pods",
    "CKV_K8S_43": "a digest exists only after the push to your registry",
    "KSV-0125": "your registry is none of the public ones that the check trusts",
}
"""Rules of checkov (CKV) and trivy (KSV) that do not hold here, and why."""


def main() -> int:
    """Run all checks; returns the number of failed ones, at most 1."""
    failed = [name for name, passed in _results() if not passed]
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return int(bool(failed))


def _results() -> "list[tuple[str, bool]]":
    with tempfile.TemporaryDirectory(prefix="accidents-deploy-") as name:
        folder = Path(name)
        results = [
            ("hadolint Dockerfile", _run("hadolint", "Dockerfile")),
            ("trivy Dockerfile", _trivy("Dockerfile")),
            ("checkov Dockerfile", _checkov("dockerfile", "--file", "Dockerfile")),
        ]
        schema = ("--builtin-schema", "vendor.compose-spec", "compose.yaml")
        results.append(("schema of compose.yaml", _run("check-jsonschema", *schema)))
        for overlay in OVERLAYS:
            results += _check_overlay(overlay, folder)
        return results


def _check_overlay(overlay: str, folder: Path) -> "list[tuple[str, bool]]":
    file = folder / f"{overlay.replace('/', '-')}.yaml"
    source = _with_placeholder_secrets(folder) if overlay.endswith("single-node") else KUBERNETES
    rendered = _call("kubectl", "kustomize", str(source / overlay))
    if rendered.returncode:
        print(rendered.stderr, file=sys.stderr)
        return [(f"kustomize {overlay}", False)]
    resources = list(yaml.safe_load_all(rendered.stdout))
    custom = [one for one in resources if (KUBERNETES / "schemas" / f"{one['kind']}.json").is_file()]
    file.write_text(yaml.safe_dump_all([one for one in resources if one not in custom]))
    return [
        (f"kustomize {overlay}", True),
        *((f"schema of {one['kind']} in {overlay}", _valid_custom(one, folder)) for one in custom),
        (f"schema of {overlay}", _run("kubernetes-validate", "--strict", "--quiet", "--no-warn", str(file))),
        (f"trivy {overlay}", _trivy(str(file))),
        (f"checkov {overlay}", _checkov("kubernetes", "--file", str(file))),
    ]


def _with_placeholder_secrets(folder: Path) -> Path:
    """A copy of the manifests whose secrets are placeholders."""
    copy = folder / "kubernetes"
    shutil.copytree(KUBERNETES, copy, ignore=shutil.ignore_patterns("secrets"))
    overlay = copy / "overlays" / "single-node"
    (overlay / "secrets").mkdir()
    for generator in yaml.safe_load((overlay / "kustomization.yaml").read_text())["secretGenerator"]:
        for file in generator["files"]:
            (overlay / file).write_text("placeholder")
    return copy


def _valid_custom(resource: dict[str, Any], folder: Path) -> bool:
    file = folder / "resource.yaml"
    file.write_text(yaml.safe_dump(resource))
    return _run("check-jsonschema", "--schemafile", str(KUBERNETES / "schemas" / f"{resource['kind']}.json"), str(file))


def _trivy(file: str) -> bool:
    offline = ("--skip-check-update", "--skip-version-check", "--cache-dir", f"{tempfile.gettempdir()}/accidents-trivy")
    with tempfile.NamedTemporaryFile("w", suffix=".trivyignore") as ignored:
        ignored.write("\n".join(POLICY_EXCEPTIONS))
        ignored.flush()
        options = ("--severity", "MEDIUM,HIGH,CRITICAL", "--exit-code", "1", "--ignorefile", ignored.name)
        return _run("trivy", "config", "--quiet", *offline, *options, file)


def _checkov(framework: str, *arguments: str) -> bool:
    skipped = ",".join(POLICY_EXCEPTIONS)
    options = ("--quiet", "--compact", "--skip-download", "--skip-check", skipped)
    return _run("checkov", "--framework", framework, *options, *arguments)


def _run(program: str, *arguments: str) -> bool:
    """Run a program of `.venv-deploy`; prints its output if it fails."""
    done = _call(program, *arguments)
    print(f"{'ok' if done.returncode == 0 else 'FAILED':7}{program} {' '.join(arguments[-1:])}", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
    return done.returncode == 0


def _call(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603  # programs of the locked environment
        [TOOLS / program, *arguments],
        cwd=PROJECT,
        env=os.environ | {"LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
