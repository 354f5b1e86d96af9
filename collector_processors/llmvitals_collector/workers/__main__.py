"""What a worker's process runs: `python -m llmvitals_collector.workers SOCKET ACCOUNT`, two descriptors it inherits."""

import socket
import sys

from llmvitals_collector.workers import account
from llmvitals_collector.workers.messages import Connection
from llmvitals_collector.workers.worker import main

if __name__ == "__main__":
    end, memory = map(int, sys.argv[1:])
    sys.exit(main(Connection(socket.socket(fileno=end)), account.view(memory)))
