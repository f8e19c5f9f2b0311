"""Recomputes chains with hashlib. Reads records of 130 bytes: which kernel, how many iterations, the digest that the
chain began with, the digest that the kernel gave. Answers one line of JSON; the exit status is 1 when a chain differs."""

import hashlib
import json
import sys

RECORD = 130


def main() -> int:
    cases: dict[int, int] = {}
    iterations = 0
    while record := sys.stdin.buffer.read(RECORD):
        kernel, steps, digest, given = record[0], record[1], record[2:66], record[66:]
        for _ in range(steps):
            digest = hashlib.sha512(digest).digest()
        if digest != given:
            start = record[2:66].hex()
            print(json.dumps({"wrong": {"kernel": kernel, "steps": steps, "start": start, "given": given.hex()}}))
            return 1
        cases[kernel] = cases.get(kernel, 0) + 1
        iterations += steps
    print(json.dumps({"cases": cases, "iterations": iterations}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
