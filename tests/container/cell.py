"""What a container takes away, with what is at hand: a root to write in, home, the user's name, /tmp, the network.

Where the kernel grants namespaces (to root, or to users of their own), the command runs in a root folder that holds the
system's programs, Python and the package, read-only, and /data, the only place to write; without /etc/passwd, /tmp and
/dev/shm, and without a network. As root it also gets a number that no user has. Where the kernel grants none, a new
environment and a folder that cannot be written are what is left; HOW says which it is, in pytest's header.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
UID = 12345
ROOTED = hasattr(os, "geteuid") and os.geteuid() == 0
CHROOT = shutil.which("chroot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
UNSHARE = ["unshare", "--mount", "--net", *([] if ROOTED else ["--map-root-user"])]

ENTER = r"""
set -e
root=$1 data=$2; shift 2
mount --bind "$root" "$root"
for link in /bin /lib /lib64 /sbin; do
  if [ -L "$link" ]; then ln -s "$(readlink "$link")" "$root$link"; fi
done
while [ "$1" != -- ]; do
  mkdir -p "$root$1"
  mount --bind "$1" "$root$1"
  mount -o remount,bind,ro "$root$1"
  shift
done
shift
mkdir -p "$root/dev" "$root/proc" "$root/data"
touch "$root/dev/null"
mount --bind /dev/null "$root/dev/null"
mount --bind "$data" "$root/data"
mount -o remount,bind,ro "$root"
exec "$@"
"""


def probe() -> str:
    """How commands are confined here: "namespaces", or why not."""
    if not (shutil.which("unshare") and CHROOT):
        return "environment alone (no unshare here)"
    try_mount = [*UNSHARE, "sh", "-c", "mount --bind / /mnt && mount -o remount,bind,ro /mnt"]
    done = subprocess.run(try_mount, capture_output=True, text=True)
    if done.returncode == 0:
        return "namespaces"
    return f"environment alone (the kernel forbids namespaces: {done.stderr.strip()})"


HOW = probe()


class Cell:
    """A place to run commands in.

    Parameters
    ----------
    folder : path
        Of the test; `data` in it is what the commands see as their only folder to write in.
    also : paths
        Folders that are there too, read-only, at the same places.
    """

    def __init__(self, folder: Path, *also: Path):
        self.folder, self.data = folder, folder / "data"
        self.data.mkdir()
        self.data.chmod(0o777)
        places = {Path("/usr"), Path(sys.prefix), Path(sys.base_prefix), ROOT, *also}
        places |= {path for path in map(Path, ("/bin", "/lib", "/lib64")) if path.is_dir() and not path.is_symlink()}
        self.places = [one for one in sorted(places) if one.exists() and not any(p in one.parents for p in places)]
        self.runs = 0

    def run(self, *words, stdin=b"", at="data", **environment):
        """Run a command in `data` or, with at="/", where nothing can be written; nothing of our environment is left."""
        self.runs += 1
        variables = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment}
        if HOW != "namespaces":
            nowhere = self.folder / "nowhere"
            nowhere.mkdir(exist_ok=True, mode=0o555)
            return subprocess.run(
                [word.replace("/data", str(self.data)) for word in words],
                env={"TMPDIR": str(nowhere / "none"), **variables},
                cwd=self.data if at == "data" else nowhere,
                input=stdin,
                capture_output=True,
            )
        root = self.folder / f"root{self.runs}"
        root.mkdir()
        root.chmod(0o755)
        user = [f"--userspec={UID}:{UID}"] if ROOTED else []
        enter = ["sh", "-c", ENTER, "enter", str(root), str(self.data), *map(str, self.places), "--"]
        change = [
            str(CHROOT),
            *user,
            str(root),
            "sh",
            "-c",
            f'cd {"/data" if at == "data" else "/"} && exec "$@"',
            "cell",
        ]
        return subprocess.run(
            [*UNSHARE, *enter, *change, *words], env=variables, input=stdin, capture_output=True, cwd="/"
        )

    def python(self, *words, **options):
        """Run this Python."""
        return self.run(sys.executable, *words, **options)
