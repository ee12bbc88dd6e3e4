"""Waiting for conditions, and answers over HTTP on loopback."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request

# Whatever is waited for happens within this, also on a busy machine.
SOON_S = 150


class Missing(Exception):
    """Something did not come, or came otherwise than it must."""


def until(what, condition, within_s=SOON_S):
    """The first true answer of `condition`."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.2)
    raise Missing(f"not within {within_s} s: {what() if callable(what) else what}")


def get(url, **parameters):
    """The body, or nothing while there is no good answer."""
    if parameters:
        url += "?" + urllib.parse.urlencode(parameters, doseq=True)
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def get_json(url, **parameters):
    body = get(url, **parameters)
    return None if body is None else json.loads(body)


def post_json(url, value):
    request = urllib.request.Request(url, json.dumps(value).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status
