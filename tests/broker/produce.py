"""produce.py ADDRESS STORY: appends a story's records with kcat, one call a record, not before their time.

A story is NDJSON. Each line: `at_ms` since the start, `topic`, `key` (or null), then one of `value`
(JSON), `text`, `hex` (raw bytes), `null`, or `again` for the bytes of the key's last one; `headers` as [name, value or null] pairs; `transaction`
to commit the record in one of its own. In a value or text, "@-250+08:00" and "@-250Z" stand for the
business time 250 ms before now.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone

BUSINESS_TIME = re.compile(r'"@(-?\d+)(Z|\+08:00)"')
ZONES = {"Z": timezone.utc, "+08:00": timezone(timedelta(hours=8))}


def business_time(match):
    moment = datetime.now(ZONES[match[2]]) + timedelta(milliseconds=int(match[1]))
    text = moment.isoformat(timespec="milliseconds")
    return json.dumps(text.replace("+00:00", "Z"))


def value_bytes(record):
    """The record's value; None for a tombstone."""
    if record.get("null"):
        return None
    if "hex" in record:
        return bytes.fromhex(record["hex"])
    text = record.get("text")
    if text is None:
        text = json.dumps(record["value"], ensure_ascii=False, separators=(",", ":"))
    return BUSINESS_TIME.sub(business_time, text).encode()


def arguments(address, record):
    # "consistent" would put every record without a key on one partition; this is librdkafka's default.
    args = ["kcat", "-P", "-q", "-b", address, "-t", record["topic"], "-X", "partitioner=consistent_random"]
    for name, value in record.get("headers", []):
        args += ["-H", name if value is None else f"{name}={value}"]
    if record.get("transaction"):
        args += ["-X", "transactional.id=settlewatch-recording"]
    return args


def append(address, record, value):
    args = arguments(address, record)
    if not value:
        # kcat reads no empty file: "key:" on standard input is an empty value, or with -Z a null one.
        args += ["-K", ":"] + (["-Z"] if value is None else [])
        subprocess.run(args, input=f"{record['key']}:\n".encode(), check=True)
        return
    if record["key"] is not None:
        args += ["-k", record["key"]]
    with tempfile.NamedTemporaryFile() as file:
        file.write(value)
        file.flush()
        subprocess.run(args + [file.name], stdin=subprocess.DEVNULL, check=True)


def main():
    address, story = sys.argv[1:]
    with open(story, encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    last = {}
    start = time.monotonic()
    for record in records:
        time.sleep(max(0.0, start + record["at_ms"] / 1000 - time.monotonic()))
        place = (record["topic"], record["key"])
        if not record.get("again"):
            last[place] = value_bytes(record)
        append(address, record, last[place])


main()
