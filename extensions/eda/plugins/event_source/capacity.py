# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch the pools of a KooDrive tenant: an event source for ansible-rulebook."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from importlib import import_module
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

DOCUMENTATION = r"""
---
short_description: Watch the pools of a KooDrive tenant
description:
  - An ansible-rulebook event source plugin that reads the pools of a KooDrive tenant at an interval. It sends an event
    if the pools changed, if a pool comes below its threshold or back above it, if a reading fails, and if the readings
    succeed again.
  - An event has all its data in the key C(koodrive). C(reasons) is a list of V(first), V(changed), V(below), V(back),
    V(recovered), V(failed) and V(heartbeat).
  - After a reading, an event has C(allocation) and its sums C(total_capacity), C(allocated_capacity) and
    C(unallocated_capacity), as M(huaweicloud.koodrive.koodrive_space_allocation_info) returns them, and C(warnings).
  - It also has three lists of names. C(below) has the pools that are below their threshold. C(came_below) has those
    that were not below it before. C(came_back) has those that were below it before and are not any more.
  - With O(usage=true), an event also has C(stored_capacity), for each pool and for all of them, if KooDrive reports it.
    Stored data changes all the time, so its change alone is not an event. The next event has the new value, at the
    latest that of O(heartbeat).
  - After a failed reading, an event has C(error) and C(msg), like a failed task. If readings go on failing, there is
    one event for each C(error.kind). The source does not end.
  - All events have C(endpoint) and C(trace_id). No event has a secret.
  - A pool that KooDrive does not report is neither below its threshold nor back above it. The same holds for all pools
    together while a pool is missing that KooDrive reported before.
options:
  interval:
    description:
      - The number of seconds from one reading to the next; 1 to 86400. Each pause is shortened or lengthened at random
        by up to a tenth, so that sources that were started together do not read together.
    type: int
    default: 300
  heartbeat:
    description:
      - The number of seconds without an event after which the next reading is an event in any case; 0 to 604800. V(0)
        means never.
    type: int
    default: 0
  thresholds:
    description:
      - The minimum unallocated capacity. Each value is whole GB, such as V(200), or percent of the total, such as
        V(10%).
      - A pool that has exactly the minimum is not below its threshold. A blank threshold counts as not set.
    type: dict
    suboptions:
      department:
        description:
          - For the pool of departments.
        type: raw
      individual:
        description:
          - For the pool of individual users.
        type: raw
      group:
        description:
          - For the pool of groups.
        type: raw
      all:
        description:
          - For all pools that KooDrive reports, together.
        type: raw
  usage:
    description:
      - Whether to read how much data is stored in the pools too. Each reading then takes a second request.
    type: bool
    default: false
  endpoint:
    description:
      - The KooDrive endpoint, a host with an optional port, with or without C(https://). Plain C(http://) is accepted
        for a loopback address only.
      - If not set, the value of the environment variable E(KOODRIVE_ENDPOINT) is used. Without that, it is
        V(https://intl.myhuaweicloud-koodrive.com).
    type: str
  token:
    description:
      - The access token, as C(c69b...), C(Bearer c69b...) or C(Bearer+c69b...), or a token of the carrier edition,
        C(AT c69b...) or C(AT+c69b...).
      - A token lives 20 minutes, and each reading renews it. Once it has expired, every reading fails until you restart
        ansible-rulebook with a new token. An app does not expire.
      - If not set, the value of the environment variable E(KOODRIVE_TOKEN) is used.
      - Give either O(token) or O(app_id), in the rulebook or in the environment, but not both. The rulebook takes
        precedence over the environment.
    type: str
  app_id:
    description:
      - The AppId for app authentication, which needs O(app_secret) and O(user_id) too.
      - If not set, the value of the environment variable E(KOODRIVE_APP_ID) is used.
    type: str
  app_secret:
    description:
      - The AppSecret of O(app_id). It signs the requests and is never sent.
      - If not set, the value of the environment variable E(KOODRIVE_APP_SECRET) is used.
    type: str
  user_id:
    description:
      - The ID of the KooDrive user for whom the calls are made. Required with O(app_id); sent with O(token) if given.
      - If not set, the value of the environment variable E(KOODRIVE_USER_ID) is used.
    type: str
  language:
    description:
      - The language of KooDrive's messages, such as V(en-US) or V(zh-CN).
      - If not set, the value of the environment variable E(KOODRIVE_LANGUAGE) is used. Without that, it is V(en-US).
    type: str
  trace_id:
    description:
      - The ID of the readings in KooDrive's logs, exactly 58 letters, digits or underscores.
      - If not set, each reading has a new one.
    type: str
  timeout:
    description:
      - The number of seconds that one request may take, from the connection to the last byte of the reply; 1 to 3600.
    type: int
    default: 30
  retries:
    description:
      - How often a failed reading is tried again before it is an event; 0 to 20. This is for transient failures only,
        which are connection failures, time-outs, HTTP 429 or 5xx, and code 13000201, a fault of the server.
      - The pauses between tries grow, or are as long as KooDrive asks for. No pause is longer than O(timeout).
    type: int
    default: 3
  validate_certs:
    description:
      - Whether to verify the endpoint's TLS certificate. Set it to V(false) only for a test system.
    type: bool
    default: true
  ca_path:
    description:
      - A file or folder with the CA certificates to verify the endpoint's certificate with.
      - If not set, the environment variable E(REQUESTS_CA_BUNDLE) is used, or else E(CURL_CA_BUNDLE). Without both, it is
        the CA bundle of the Python library C(requests).
    type: path
requirements:
  - ansible-core, in the Python that runs ansible-rulebook
  - requests >= 2.25.1
notes:
  - A blank option or environment variable counts as not set. Blank means empty, or white space only.
  - Proxies are taken from the environment variables E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY). The file C(~/.netrc)
    is not read.
  - A wrong option ends the source at once. Nothing else does. If this machine cannot make a reading, the reading fails.
"""

EXAMPLES = r"""
# The endpoint and the credentials come from KOODRIVE_ENDPOINT, KOODRIVE_APP_ID, KOODRIVE_APP_SECRET and
# KOODRIVE_USER_ID.

- huaweicloud.koodrive.capacity:
    interval: 60
    thresholds:
      individual: 500
      group: 10%
      all: 5%

# At least one event every hour, to see that the source runs.

- huaweicloud.koodrive.capacity:
    endpoint: cn.myhuaweicloud-koodrive.com
    heartbeat: 3600
"""

try:
    import_module("ansible_collections.huaweicloud.koodrive")
except ImportError:
    # ansible-rulebook runs this file by its path, and does not know the other files. Ansible's own loader would find
    # them, but then ansible-rulebook would not find its filters.
    sys.path.extend(map(str, list(Path(__file__).absolute().parents)[7:8]))
    try:
        import_module("ansible_collections.huaweicloud.koodrive")
    except ImportError:
        raise ImportError(
            f"The event source {__file__} needs the rest of the collection huaweicloud.koodrive, and this Python does not find it. Install the"
            " collection with ansible-galaxy, and use the event source as huaweicloud.koodrive.capacity instead of a copy of its file."
        ) from None

from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.redaction import masked
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import Caller
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.wire import REQUESTS_IMPORT_ERROR, without_requests
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.arguments import prepared
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import CONNECTION_SPEC, connection_from, in_range, secrets_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.outcome import outcome_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.validation import message_of, unknown_options
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_allocation_info import ALLOCATION_INFO_SPEC, allocation_info
from ansible_collections.huaweicloud.koodrive.plugins.plugin_utils.capacity_watch import CapacityWatch, Threshold, thresholds_from

#: The argument spec. The documentation describes the same options.
SOURCE_SPEC: dict[str, Any] = {
    **CONNECTION_SPEC,
    "usage": ALLOCATION_INFO_SPEC["usage"],
    "interval": {"type": "int", "default": 300},
    "heartbeat": {"type": "int", "default": 0},
    "thresholds": {"type": "dict"},
}
#: In seconds.
LONGEST_INTERVAL = 86400
LONGEST_HEARTBEAT = 7 * 86400
#: The largest part of the interval by which a pause is shortened or lengthened.
JITTER = 0.1


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Read the pools until cancelled, and put the events that the documentation describes into ``queue``.

    If one of ``args`` is wrong, raises ValueError, naming the option, before anything is sent. Raises ImportError
    without requests.
    """
    if REQUESTS_IMPORT_ERROR:
        raise ImportError(without_requests(missing_required_lib("requests")))
    options, thresholds = _settings(args)
    watch = CapacityWatch(thresholds)
    secrets = secrets_of(SOURCE_SPEC, options, os.environ)
    latest = time.monotonic()
    while True:
        reading = await _reading(options)
        heartbeat = 0 < options["heartbeat"] <= time.monotonic() - latest
        event = watch.event_of(reading, heartbeat)
        if event:
            await queue.put(masked(event, secrets))
            latest = time.monotonic()
        await asyncio.sleep(options["interval"] * random.uniform(1 - JITTER, 1 + JITTER))


def _settings(args: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Threshold]]:
    """Return the checked options, as Ansible passes them to a module, and the thresholds."""
    validated = ArgumentSpecValidator(SOURCE_SPEC).validate(prepared(SOURCE_SPEC, args))
    options: dict[str, Any] = validated.validated_parameters
    if validated.error_messages:
        faults = validated.error_messages
        prefix = "Unsupported option of the event source huaweicloud.koodrive.capacity: " if unknown_options(faults, SOURCE_SPEC) else ""
        raise _wrong(message_of(faults, SOURCE_SPEC, prefix), options)
    try:
        in_range(options, "interval", 1, LONGEST_INTERVAL)
        in_range(options, "heartbeat", 0, LONGEST_HEARTBEAT)
        connection_from(options)
        return options, thresholds_from(options["thresholds"])
    except KooDriveError as error:
        raise _wrong(error.as_result()["msg"], options) from None


def _wrong(message: str, options: Mapping[str, Any]) -> ValueError:
    return ValueError(masked(message, secrets_of(SOURCE_SPEC, options, os.environ)))


async def _reading(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a reading of the pools, or its failure.

    If this is cancelled, the thread does not try again.
    """
    done: Future[dict[str, Any]] = Future()
    done.set_running_or_notify_cancel()
    ended = threading.Event()

    def work() -> None:
        try:
            done.set_result(outcome_of(allocation_info, options, False, Caller(lambda: not ended.is_set())))
        except BaseException as error:  # The coroutine that waits raises it.
            done.set_exception(error)

    try:
        # Not a thread of a pool, since Python waits for those before it ends.
        threading.Thread(target=work, name="koodrive capacity", daemon=True).start()
        return await asyncio.wrap_future(done)
    except Exception as error:  # The next reading may succeed, so the source goes on with an event.
        return {"endpoint": connection_from(options).endpoint, **_trouble_of(error).as_result()}
    finally:
        ended.set()


def _trouble_of(error: Exception) -> KooDriveError:
    """Return the error of a reading that this machine could not make."""
    what, advice = f"an unexpected {type(error).__name__}: {error}", "Report this as a bug of huaweicloud.koodrive."
    if isinstance(error, RuntimeError) and "thread" in str(error):
        what, advice = f"this machine could not start a thread for it ({error})", "Check the limits of its processes, threads and memory."
    return KooDriveError("unreachable", what, action="Reading the pools", advice=f"{advice} The event source goes on, and tries again after its interval.")


if __name__ == "__main__":

    class PrintingQueue(asyncio.Queue[Any]):
        """A queue that prints its events."""

        async def put(self, item: Any) -> None:
            """Print the event."""
            sys.stdout.write(f"{item}\n")

    asyncio.run(main(PrintingQueue(), {"interval": 10, "thresholds": {"all": "10%"}}))
