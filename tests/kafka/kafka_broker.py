"""One Kafka broker in KRaft mode, from the jars that `.ci/setup kafka` fetches."""

import signal
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic, OffsetSpec

from llmvitals_collector.demo.children import loopback_port

PATIENCE = 90  # seconds
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
auto.create.topics.enable=false
"""


class Broker:
    """It runs from start() to stop() or kill(), and finds what it had when it is started again.

    address: of its clients.
    """

    def __init__(self, java: str, jars: Path, folder: Path) -> None:
        port, controller = (loopback_port(0, name) for name in ("broker", "controller"))
        self.address = f"127.0.0.1:{port}"
        self._admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        self._folder = folder
        self._command = [java, "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
        self._properties = folder / "server.properties"
        self._properties.write_text(PROPERTIES.format(port=port, controller=controller, folder=folder))
        self._process: subprocess.Popen[bytes] | None = None
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # With "=", as an id may begin with "-".
        made = self._run("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(self._properties))
        assert made.wait(PATIENCE) == 0, (folder / "broker.log").read_text()

    def start(self) -> None:
        """Returns once it answers."""
        self._process = self._run("kafka.Kafka", str(self._properties))
        self._admin.list_topics(timeout=PATIENCE)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def topic(self, name: str, partitions: int) -> None:
        self._admin.create_topics([NewTopic(name, partitions, 1)])[name].result(PATIENCE)

    def grow(self, topic: str, partitions: int) -> None:
        """Let a topic have so many partitions in all."""
        self._admin.create_partitions([NewPartitions(topic, partitions)])[topic].result(PATIENCE)

    def delete(self, topic: str) -> None:
        self._admin.delete_topics([topic])[topic].result(PATIENCE)

    def messages(self, topic: str, partitions: int) -> int:
        """How many are in a topic."""
        wanted = {TopicPartition(topic, partition): OffsetSpec.latest() for partition in range(partitions)}
        return sum(end.result(PATIENCE).offset for end in self._admin.list_offsets(wanted).values())

    def end_hanging_transactions(self) -> None:
        """End those that are open for more than a minute, of which Kafka (4.3.1) leaves some when it dies at times."""
        found = self._transactions("find-hanging", "--broker-id", "1", "--max-transaction-timeout", "1")
        for line in found.splitlines()[1:]:
            topic, partition, _, _, _, start, *_ = line.split()
            self._transactions("abort", "--topic", topic, "--partition", partition, "--start-offset", start)

    def _transactions(self, *arguments: str) -> str:
        tool = "org.apache.kafka.tools.TransactionsCommand"
        command = [*self._command, tool, "--bootstrap-server", self.address, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout

    def _run(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._folder / "broker.log").open("ab") as log:
            return subprocess.Popen([*self._command, *arguments], stdout=log, stderr=log)

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None
