"""Runs commands of the shell at the same time, a few together: `python tests/side_by_side.py 2 'first …' 'second …'`.

The first one's output is seen as it comes, each other's in one piece once it and those before it have ended. The exit
status is 0 where all commands gave 0, else 1. (After the shell's own `&`, nothing that they start would heed Ctrl-C.)
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from tempfile import TemporaryFile


def run(command: str, **streams) -> int:
    """The exit status."""
    return subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, **streams).returncode


def main(together: int, commands: list[str]) -> int:
    """Each command begins as soon as fewer than `together` run; 1 if one of them fails, else 0."""
    failed = False
    with ThreadPoolExecutor(together) as pool, ExitStack() as files:
        kept = [files.enter_context(TemporaryFile()) for _ in commands[1:]]
        statuses = [pool.submit(run, commands[0])]
        statuses += [
            pool.submit(run, command, stdout=out, stderr=subprocess.STDOUT)
            for command, out in zip(commands[1:], kept, strict=True)
        ]
        try:
            for command, status, out in zip(commands, statuses, [None, *kept], strict=True):
                status.result()
                if out:
                    out.seek(0)
                    sys.stdout.buffer.write(out.read())
                print(f"exit status {status.result()}: {command}\n", flush=True)
                failed |= status.result() != 0
        except KeyboardInterrupt:  # those that run were told, too; no other one begins
            pool.shutdown(cancel_futures=True)
            return 130
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
