"""An HSM in software: SoftHSM's tokens in a folder of their own, behind a module that fails when it is told to."""

import os
import subprocess
from pathlib import Path

from strongroom import ROOT

PIN = "24680135"
SO_PIN = "13579135"


def _softhsm() -> Path:
    for place in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"):
        if Path(place).exists():
            return Path(place)
    raise RuntimeError("SoftHSM is not installed: apt-get install softhsm2, or cargo xtask test, which does")


class Hsm:
    """A folder of tokens, and the module that leads to them."""

    def __init__(self, folder: Path):
        self.folder, self.tokens, self.faults = folder, folder / "tokens", folder / "faults"
        for made in (folder, self.tokens, self.faults):
            made.mkdir()
        (folder / "softhsm2.conf").write_text(f"directories.tokendir = {self.tokens}\nlog.level = ERROR\n")
        self.module = folder / "module.so"
        source = ROOT / "crates/hsm/tests/faulty/module.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.module, source, "-ldl"], check=True)

    def environment(self) -> dict[str, str]:
        """What a process needs to use the module."""
        return {
            "SOFTHSM2_CONF": str(self.folder / "softhsm2.conf"),
            "PKCS11_REAL": str(_softhsm()),
            "PKCS11_FAULTS": str(self.faults),
        }

    def _util(self, *arguments: str) -> None:
        environment = {**os.environ, **self.environment()}
        subprocess.run(["softhsm2-util", *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)

    def token(self, label: str) -> None:
        self._util("--init-token", "--free", "--label", label, "--so-pin", SO_PIN, "--pin", PIN)

    def take_away(self) -> None:
        self.tokens.rename(self.folder / "away")
        self.tokens.mkdir()

    def put_back(self) -> None:
        self.tokens.rmdir()
        (self.folder / "away").rename(self.tokens)

    def fault(self, function: str, what: str | None) -> None:
        """Lets a function of the module return a code, in hexadecimal, or `hang`; or work again."""
        path = self.faults / function
        if what is None:
            path.unlink(missing_ok=True)
        else:
            draft = self.folder / "draft"
            draft.write_text(what)
            draft.rename(path)

    def calls(self, function: str) -> int:
        path = self.faults / "calls"
        return path.read_text().splitlines().count(function) if path.exists() else 0

    def objects(self) -> set[Path]:
        """The files of all objects in all tokens."""
        return {path for path in self.tokens.rglob("*.object") if path.name != "token.object"}
