"""Starts collectors by forking a process that has imported them, as an import takes longer than all that a test does.

Each line of the input is JSON: the arguments of `llmvitals`, and the file for what it says. The answer is its pid.
"""

import json
import os
import signal
import sys

from llmvitals_collector import __main__, pipeline  # noqa: F401 - imported once for all
from llmvitals_collector.receivers.kafka import receiver  # noqa: F401

signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
for line in sys.stdin:
    arguments, log = json.loads(line)
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for standard in (1, 2):
            os.dup2(file, standard)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os._exit(__main__.main(arguments))
    print(pid, flush=True)
