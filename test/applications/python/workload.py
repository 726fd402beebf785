"""Requests of many users against one table, and the record of what every row must be.

The test drives the program by commands, one JSON object a line; the program answers each with one line.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from importlib.metadata import version

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

KINDS = ("truck", "bike", "car")


class FlagClient:
    """The flag by the OpenFeature SDK. Its default timeout of 5 s would block the request."""

    def __init__(self, flag, domain="application"):
        headers = {"Authorization": f"Bearer {flag['token']}", "X-Sti-Client": flag["client"]}
        provider = OFREPProvider(flag["url"], headers_factory=lambda: headers, timeout=flag["timeoutMs"] / 1000)
        api.set_provider(provider, domain)
        self.client = api.get_client(domain)
        self.key = flag["key"]

    def evaluate(self, user):
        return self.client.get_boolean_details(self.key, False, EvaluationContext(targeting_key=user))


class Workload:
    """Worker threads, each with rows of its own, so that the last write of every row is known."""

    def __init__(self, store, settings):
        self.store = store
        self.release = settings["release"]
        self.flag = FlagClient(settings["flag"]) if self.release != "typed" else None
        self.lock = threading.Condition()
        self.paused = True
        self.active = 0
        self.operations = Counter()
        self.errors = Counter()
        self.wrong = []
        workers = settings["workers"]
        self.rows = [{} for _ in range(workers)]
        for at, (row_id, kind, name) in enumerate(settings["rows"]):
            self.rows[at % workers][row_id] = (kind, name)
        for worker in range(workers):
            threading.Thread(target=self.work, args=(worker,), daemon=True).start()

    def work(self, worker):
        while True:
            with self.lock:
                self.lock.wait_for(lambda: not self.paused)
                self.active += 1
            model = "typed"
            try:
                model = self.choose_model()
                self.request(model, self.rows[worker])
                error = None
            except Exception as failure:  # Every failure of a request is counted, whatever it is.
                error = describe(failure)
            with self.lock:
                self.operations[model] += 1
                if error is not None:
                    self.errors[error] += 1
                self.active -= 1
                self.lock.notify_all()
            time.sleep(0.005)

    def choose_model(self):
        """Evaluates the flag, once per request."""
        if self.flag is None:
            return "typed"
        return "typed" if self.flag.evaluate(f"user-{random.randrange(10_000)}").value else "legacy"

    def request(self, model, rows):
        dice = random.random()
        kind = random.choice(KINDS)
        name = f"{model} {random.getrandbits(64):x}"
        if dice < 0.2 or len(rows) < 10:
            rows[self.store.create(model, kind, name)] = (kind, name)
            return
        row_id = random.choice(tuple(rows))
        if dice < 0.5:
            self.store.change(model, row_id, kind)
            rows[row_id] = (kind, rows[row_id][1])
        elif dice < 0.7:
            self.store.rename(model, row_id, name)
            rows[row_id] = (rows[row_id][0], name)
        elif dice < 0.9:
            found = self.store.find(model, row_id)
            if found != rows[row_id]:
                self.wrong.append(f"{row_id} by {model}: {found} instead of {rows[row_id]}")
        else:
            self.store.remove(model, row_id)
            del rows[row_id]

    def resume(self):
        with self.lock:
            self.paused = False
            self.lock.notify_all()

    def pause(self):
        with self.lock:
            self.paused = True
            self.lock.wait_for(lambda: self.active == 0)

    def status(self):
        with self.lock:
            return {"operations": dict(self.operations), "errors": dict(self.errors), "wrong": list(self.wrong)}

    def known(self):
        return [[row_id, *row] for rows in self.rows for row_id, row in rows.items()]

    def check(self, model):
        """Reads every row through the mapped classes."""
        known = {row_id: (kind, name) for row_id, kind, name in self.known()}
        found = {row_id: (kind, name) for row_id, kind, name in self.store.list(model)}
        return [
            f"{row_id} by {model}: {found.get(row_id)} instead of {known.get(row_id)}"
            for row_id in known.keys() | found.keys()
            if known.get(row_id) != found.get(row_id)
        ]


def describe(error):
    """The SQLSTATE and the first line of the message, without values."""
    cause = error
    while cause is not None and not getattr(cause, "sqlstate", None):
        cause = getattr(cause, "orig", None) or cause.__cause__
    if cause is None:
        return f"{type(error).__name__}: {str(error).splitlines()[0][:150]}"
    return f"{cause.sqlstate} {str(cause).splitlines()[0][:150]}"


def evaluate_once(flag):
    """What the SDK answers, and after how many milliseconds."""
    client = FlagClient(flag, "single")
    began = time.monotonic()
    details = client.evaluate("user-1")
    answer = {"value": details.value, "reason": details.reason, "errorCode": details.error_code}
    return answer | {"milliseconds": round((time.monotonic() - began) * 1000)}


def serve(open_store, packages):
    """Answers commands until the standard input ends."""
    workload = None
    for line in sys.stdin:
        command = json.loads(line)
        name = command["command"]
        if name == "start":
            workload = Workload(open_store(command), command)
            workload.resume()
            answer = {"versions": {package: version(package) for package in packages}}
        elif name == "pause":
            workload.pause()
            answer = workload.status() | {"rows": workload.known()}
        elif name == "resume":
            workload.resume()
            answer = {}
        elif name == "status":
            answer = workload.status()
        elif name == "check":
            answer = {"wrong": workload.check(command["model"])}
        elif name == "evaluate":
            answer = evaluate_once(command["flag"])
        else:
            raise ValueError(f"unknown command {name}")
        print(json.dumps(answer, default=str), flush=True)
