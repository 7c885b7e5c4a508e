"""`grader doctor`: what this machine can isolate, which tier is chosen, and how to get the rest."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import click

USERNS_LIMIT = Path("/proc/sys/user/max_user_namespaces")
APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")


@dataclass(frozen=True)
class Offer:
    """One way to confine student code: whether it works here, and if not, why and what would help."""

    tier: str
    how: str
    works: bool
    why_not: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Attack:
    name: str
    held: bool
    detail: str


@dataclass(frozen=True)
class Diagnosis:
    """What `grader doctor --json` prints."""

    platform: str
    user: str
    offers: tuple[Offer, ...]
    layers: dict[str, str]
    tier: str
    canaries: tuple[Attack, ...]

    @property
    def sound(self) -> bool:
        return self.tier != "none" and bool(self.canaries) and all(attack.held for attack in self.canaries)


def diagnose() -> Diagnosis:
    """Try every way, then attack the strongest that works.  Takes a few seconds."""
    from grader.execution import landlock, seccomp, syscalls
    from grader.execution.canaries import canaries
    from grader.execution.hatchery import WAYS, SandboxError
    from grader.execution.pool import Pool, describe_way, try_way

    offers = []
    for way in WAYS:
        if way.tier == "none":
            continue
        if not syscalls.available():
            offers.append(Offer(way.tier, describe_way(way), False, "needs Linux on x86-64 or ARM64", REMEDY_PLATFORM))
            continue
        try:
            try_way(way).close()
        except SandboxError as error:
            offers.append(Offer(way.tier, describe_way(way), False, _last_line(str(error)), _remedy(way.tier)))
        else:
            offers.append(Offer(way.tier, describe_way(way), True))
    tier = next((offer.tier for offer in offers if offer.works), "none")
    attacks: tuple[Attack, ...] = ()
    if tier != "none":
        with Pool(1, tier=tier) as pool:  # type: ignore[arg-type]
            attacks = tuple(Attack(result.name, result.held, result.detail) for result in canaries(pool))
    layers = {
        "landlock": f"ABI {landlock.abi()}" if landlock.abi() else "not offered by this kernel",
        "seccomp": "yes" if seccomp.available() else "not on this processor: processes are limited in number only",
    }
    user = "root" if hasattr(os, "geteuid") and os.geteuid() == 0 else "ordinary user"
    return Diagnosis(
        f"{platform.system()} {platform.release()} {platform.machine()}", user, tuple(offers), layers, tier, attacks
    )


REMEDY_PLATFORM = "grade on Linux (a virtual machine or WSL 2 will do)"


def _remedy(tier: str) -> str:
    if tier == "landlock":
        return "Linux 5.13 or later with Landlock enabled (CONFIG_SECURITY_LANDLOCK, lsm=landlock,…)"
    if APPARMOR.exists() and APPARMOR.read_text(encoding="ascii").strip() == "1":
        return "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run with sudo"
    if USERNS_LIMIT.exists() and USERNS_LIMIT.read_text(encoding="ascii").strip() == "0":
        return "sudo sysctl user.max_user_namespaces=10000"
    return "inside a container: allow unshare and mount (for Docker --security-opt seccomp=unconfined), or run as root"


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), text)


def _print(diagnosis: Diagnosis) -> None:
    click.echo(f"{diagnosis.platform}, {diagnosis.user}")
    for offer in diagnosis.offers:
        click.echo(f"  {'yes' if offer.works else 'no ':3}  {offer.tier:11} {offer.how}")
        if not offer.works:
            click.echo(f"       why: {offer.why_not}")
            click.echo(f"       to get it: {offer.remedy}")
    for name, text in diagnosis.layers.items():
        click.echo(f"       {name}: {text}")
    click.echo(f"Tier chosen: {diagnosis.tier}")
    escaped = [attack for attack in diagnosis.canaries if not attack.held]
    for attack in escaped:
        click.echo(f"  GETS THROUGH  {attack.name}: {attack.detail}")
    if diagnosis.tier == "none":
        click.echo("Student code is refused here unless you pass --sandbox none, which every report then says.")
    else:
        click.echo(f"Canary attacks: {len(diagnosis.canaries) - len(escaped)} of {len(diagnosis.canaries)} held.")


@click.command("doctor", help="Show what this machine can isolate, and how to get the rest.")
@click.option("--json", "as_json", is_flag=True, help="Machine output on stdout.")
def command(as_json: bool) -> None:
    diagnosis = diagnose()
    if as_json:
        click.echo(json.dumps({**asdict(diagnosis), "sound": diagnosis.sound}, indent=1))
    else:
        _print(diagnosis)
    if not diagnosis.sound:
        raise SystemExit(1)
