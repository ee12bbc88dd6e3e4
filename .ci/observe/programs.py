"""The programs: a demo, Prometheus, Alertmanager, each with a log and a folder of its own, on loopback."""

import signal
import socket
import subprocess

from waiting import Missing, get, until


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Program:
    """A process that is stopped with its block."""

    def __init__(self, name, folder, command):
        self.name, self.log = name, folder / f"{name}.log"
        self.process = subprocess.Popen(
            [str(word) for word in command], stdout=open(self.log, "w"), stderr=subprocess.STDOUT
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def answers(self, url):
        """Waits until it answers, or has ended."""

        def answered():
            if self.process.poll() is not None:
                raise Missing(f"{self.name} ended with {self.process.returncode}: see {self.log}")
            return get(url) is not None

        until(f"{self.name} answers at {url}", answered)
        return self

    def ends_well(self):
        """Asks it to end, and demands status 0."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        if status != 0:
            raise Missing(f"{self.name} ended with {status}: see {self.log}")


def demo(binary, folder, port):
    # Longer than anything here takes: it is told to end, and then judges its own story.
    command = [binary, "demo", "--headless", "--for", "30m", "--listen", f"127.0.0.1:{port}"]
    return Program("demo", folder, command).answers(f"http://127.0.0.1:{port}/readyz")


def prometheus(folder, port, configuration):
    command = [
        "prometheus",
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    return Program("prometheus", folder, command).answers(f"http://127.0.0.1:{port}/-/ready")


def alertmanager(folder, port, configuration):
    command = [
        "prometheus-alertmanager",
        f"--config.file={configuration}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    return Program("alertmanager", folder, command).answers(f"http://127.0.0.1:{port}/-/ready")
