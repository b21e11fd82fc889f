#!/usr/bin/env python3
"""A queue that grows behind edgeHub's real metrics port, with messages that live shorter than the clean-up interval.

Growth is told over two clean-up intervals, of which the shortest is 30 s: that is how long this takes.
"""

import os
import time
from pathlib import Path

import lab

ROOT = Path(__file__).resolve().parent.parent.parent
HUB = """
mkdir -p /www
echo "<6> 2024-05-23 07:50:52.598 +00:00 [INF] - Updated message store TTL to 10 seconds"
queue=0
while true; do
  if [ -e /drained ]; then queue=0; else queue=$((queue + 50)); fi
  echo "edgehub_queue_length{iothub=\\"h\\",edge_device=\\"d\\",endpoint=\\"iothub\\",priority=\\"0\\"} $queue" > /www/next
  mv /www/next /www/metrics
  sleep 1
done &
busybox httpd -f -p 9600 -h /www
"""

lab.need_root_and("unshare", "journalctl", "dockerd", "docker", "ip", "nsenter", "busybox")
lab.own_mounts()
device = lab.Namespace("edgewatch-queue")
journald = lab.Journald()
docker = lab.Docker(device)
docker("network", "create", "azure-iot-edge")
daemon = lab.Daemon(config="sources: {units: no}\ndocker: {sweep_interval: 5s}\n", prefix=device.enter(),
                    options=["--rules", ROOT / "conf/rules.d", "--docker-socket", docker.socket,
                             "--prober", os.environ["EDGEWATCH_PROBE"]])


def wait_alert(state, seconds):
    begin = time.monotonic()
    lab.wait_until(lambda: lab.alerts(journald, "EDGEWATCH_SYMPTOM=queue-cleanup-slow", f"EDGEWATCH_STATE={state}"), seconds,
                   f"{state} queue-cleanup-slow; log: {daemon.log()[-3000:]}")
    print(f"# {state} after {time.monotonic() - begin:.0f} s")
    return lab.alerts(journald, "EDGEWATCH_SYMPTOM=queue-cleanup-slow", f"EDGEWATCH_STATE={state}")[-1]


def grows():
    """a queue that grows over two clean-up intervals is confirmed"""
    daemon.start()
    docker.run("edgeHub", HUB, "--network", "azure-iot-edge", "-e", "MessageCleanupIntervalSecs=30")
    entry = wait_alert("confirmed", 120)
    assert entry["EDGEWATCH_SUBJECT"] == "edgeHub" and "10 s" in entry["MESSAGE"], entry


def falls():
    """it clears when the queue is empty again"""
    docker("exec", "edgeHub", "sh", "-c", "> /drained")
    wait_alert("cleared", 120)


lab.run_cases([grows, falls])
