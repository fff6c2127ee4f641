# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source for ansible-rulebook: what the pools of a KooDrive tenant hold, whenever that changes."""

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
short_description: Watch what the pools of a KooDrive tenant hold
description:
  - An ansible-rulebook event source plugin that reads the pools of a KooDrive tenant again and again, and sends an event when they differ
    from the reading before, when a pool comes under a threshold or back over it, when a reading fails, and when the readings succeed again.
  - An event has all that there is to know in the key C(koodrive). C(reasons) is a list of V(first), V(changed), V(below), V(back),
    V(recovered), V(failed) and V(heartbeat).
  - After a reading it has C(allocation) and its sums C(total_capacity), C(allocated_capacity) and C(unallocated_capacity), as
    M(huaweicloud.koodrive.koodrive_space_allocation_info) returns them, C(warnings), and the lists C(below), C(came_below) and C(came_back) with the
    names of what is under its threshold now, was not before, and was before and is no more.
  - With O(usage=true) it has C(stored_capacity), too, in each pool and for all of them, where KooDrive reports it. A change of what is stored alone is
    no event, since it changes all the time. The next event has it, at the latest that of O(heartbeat).
  - After a reading that failed it has C(error) and C(msg), as a failed task has them. A failure that stays is told once for each C(error.kind).
    It does not end the source.
  - Both have C(endpoint) and C(trace_id). No event has a secret.
  - A pool that KooDrive does not report is neither under its threshold nor back over it.
options:
  interval:
    description:
      - How many seconds to wait from one reading to the next; 1 to 86400. By chance, it is up to a tenth less or more, so that many who were
        started at the same time do not read at the same time.
    type: int
    default: 300
  heartbeat:
    description:
      - After how many seconds without an event the next reading is one, whatever it shows; 0 to 604800. V(0) means never.
    type: int
    default: 0
  thresholds:
    description:
      - How much must be unallocated at least. Each is whole GB, such as V(200), or percent of the total, such as V(10%).
      - What has exactly as much is not under its threshold. A blank one counts as not set.
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
      - Whether to read how much is stored in the pools, too. This takes a second request for each reading.
    type: bool
    default: false
  endpoint:
    description:
      - The KooDrive endpoint, a host with a port if need be, with or without C(https://). Plain C(http://) is accepted to a loopback address only.
      - If not set, the value of the environment variable E(KOODRIVE_ENDPOINT) is used; without that,
        V(https://intl.myhuaweicloud-koodrive.com).
    type: str
  token:
    description:
      - The access token, as C(c69b...), C(Bearer c69b...) or C(Bearer+c69b...), or a token of the carrier edition, C(AT c69b...) or C(AT+c69b...).
      - It lives 20 minutes, and each reading renews it. Once it has expired, every reading fails until ansible-rulebook is started with a new one. An
        app does not expire.
      - If not set, the value of the environment variable E(KOODRIVE_TOKEN) is used.
      - Either O(token) or O(app_id) must be given, in the rulebook or in the environment, and not both. What the rulebook says goes before the
        environment.
    type: str
  app_id:
    description:
      - The AppId for app authentication, which needs O(app_secret) and O(user_id) too.
      - If not set, the value of the environment variable E(KOODRIVE_APP_ID) is used.
    type: str
  app_secret:
    description:
      - The AppSecret that belongs to O(app_id). It signs the requests and is never sent.
      - If not set, the value of the environment variable E(KOODRIVE_APP_SECRET) is used.
    type: str
  user_id:
    description:
      - The ID of the KooDrive user in whose name the calls are made. Required with O(app_id); sent with O(token) if given.
      - If not set, the value of the environment variable E(KOODRIVE_USER_ID) is used.
    type: str
  language:
    description:
      - The language of KooDrive's own messages, such as V(en-US) or V(zh-CN).
      - If not set, the value of the environment variable E(KOODRIVE_LANGUAGE) is used; without that, V(en-US).
    type: str
  trace_id:
    description:
      - The ID by which KooDrive's logs know the readings, exactly 58 letters, digits or underscores.
      - If not set, each reading has a fresh one.
    type: str
  timeout:
    description:
      - How many seconds one request may take, from the connection to the last byte of the reply; 1 to 3600.
    type: int
    default: 30
  retries:
    description:
      - How often a reading is tried again that failed for a passing reason (connection failure, time-out, HTTP 429 or 5xx, or code 13000201, a
        fault of the server), before it is an event; 0 to 20.
      - The pauses in between grow, or are what KooDrive asks for, and none is longer than O(timeout).
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
      - If not set, the environment variable E(REQUESTS_CA_BUNDLE) is honoured; without that, the CA certificates that come with the Python
        library C(requests) are used.
    type: path
requirements:
  - ansible-core, in the Python that runs ansible-rulebook
  - requests >= 2.25.1
notes:
  - An option or an environment variable that is blank (nothing, or a text of white space at the most) counts as not set.
  - Proxies are taken from the environment variables E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY). The file C(~/.netrc) is not consulted.
  - A wrong option ends the source at once. Nothing else does; a reading that this machine cannot make is a reading that failed.
"""

EXAMPLES = r"""
# The endpoint and the credentials come from KOODRIVE_ENDPOINT, and from KOODRIVE_APP_ID, KOODRIVE_APP_SECRET and KOODRIVE_USER_ID.

- huaweicloud.koodrive.capacity:
    interval: 60
    thresholds:
      individual: 500
      group: 10%
      all: 5%

# An event without a change at least every hour, to see that somebody is watching.

- huaweicloud.koodrive.capacity:
    endpoint: cn.myhuaweicloud-koodrive.com
    heartbeat: 3600
"""

try:
    import_module("ansible_collections.huaweicloud.koodrive")
except ImportError:
    # ansible-rulebook finds this file by its path, and knows nothing of the others. Ansible's own loader would find them, and would keep
    # ansible-rulebook from finding its filters, for it takes what runpy runs for a part of a collection.
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
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.wire import REQUESTS_IMPORT_ERROR
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.errors import KooDriveError
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.arguments import prepared
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import CONNECTION_SPEC, connection_from, in_range, secrets_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.outcome import outcome_of, refusal_of, unknown_options
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.work.space_allocation_info import ALLOCATION_INFO_SPEC, allocation_info
from ansible_collections.huaweicloud.koodrive.plugins.plugin_utils.capacity_watch import CapacityWatch, Threshold, thresholds_from

#: The argument spec; the documentation says the same in words.
SOURCE_SPEC: dict[str, Any] = {
    **CONNECTION_SPEC,
    "usage": ALLOCATION_INFO_SPEC["usage"],
    "interval": {"type": "int", "default": 300},
    "heartbeat": {"type": "int", "default": 0},
    "thresholds": {"type": "dict"},
}
LONGEST_INTERVAL = 86400
LONGEST_HEARTBEAT = 7 * 86400
#: By which part of the interval a pause is shorter or longer, at most.
JITTER = 0.1


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Read the pools until cancelled, and put into ``queue`` the events that the documentation describes.

    Raises ValueError, naming the option, before anything is sent, where one of ``args`` is wrong; ImportError without requests.
    """
    if REQUESTS_IMPORT_ERROR:
        raise ImportError(missing_required_lib("requests"))
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
    """The options as Ansible would hand them to a module, all of them right, and the thresholds."""
    validated = ArgumentSpecValidator(SOURCE_SPEC).validate(prepared(SOURCE_SPEC, args))
    options: dict[str, Any] = validated.validated_parameters
    if validated.error_messages:
        faults = validated.error_messages
        prefix = "Unsupported option of the event source huaweicloud.koodrive.capacity: " if unknown_options(faults, SOURCE_SPEC) else ""
        raise _wrong(refusal_of(faults, SOURCE_SPEC, prefix), options)
    try:
        in_range(options, "interval", 1, LONGEST_INTERVAL)
        in_range(options, "heartbeat", 0, LONGEST_HEARTBEAT)
        connection_from(options)
        return options, thresholds_from(options["thresholds"])
    except KooDriveError as error:
        raise _wrong(error.as_result(), options) from None


def _wrong(refusal: Mapping[str, Any], options: Mapping[str, Any]) -> ValueError:
    return ValueError(masked(refusal["msg"], secrets_of(SOURCE_SPEC, options, os.environ)))


async def _reading(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a reading of the pools returns, or returns as a failure. When it is cancelled, the request under way ends by itself."""
    called_off = threading.Event()

    def read(options: Mapping[str, Any], check_mode: bool, *, caller: Caller) -> dict[str, Any]:
        return allocation_info(options, check_mode, called_off=called_off, caller=caller)

    done: Future[dict[str, Any]] = Future()
    done.set_running_or_notify_cancel()

    def work() -> None:
        try:
            done.set_result(outcome_of(read, options, False))
        except BaseException as error:  # It is for the one who waits.
            done.set_exception(error)

    try:
        # Not one of a pool: Python waits for those before it ends.
        threading.Thread(target=work, name="koodrive capacity", daemon=True).start()
        return await asyncio.wrap_future(done)
    except Exception as error:  # The next reading may succeed, and until then somebody must know.
        return {"endpoint": connection_from(options).endpoint, **_trouble_of(error).as_result()}
    finally:
        called_off.set()


def _trouble_of(error: Exception) -> KooDriveError:
    """Return why this machine could not make a reading at all."""
    what, advice = f"an unexpected {type(error).__name__}: {error}", "Report this as a bug of huaweicloud.koodrive."
    if isinstance(error, OSError) and os.environ.get("SSLKEYLOGFILE"):
        what = f"the file that SSLKEYLOGFILE names cannot be used ({error.strerror})"
        advice = "Make it writable, or unset SSLKEYLOGFILE, and restart ansible-rulebook."
    elif isinstance(error, RuntimeError) and "thread" in str(error):
        what, advice = f"this machine could not start a thread for it ({error})", "See to the limits of its processes, threads and memory."
    return KooDriveError("unreachable", what, action="Reading the pools", advice=f"{advice} The event source goes on, and tries again after its interval.")


if __name__ == "__main__":

    class PrintingQueue(asyncio.Queue[Any]):
        """A fake queue."""

        async def put(self, item: Any) -> None:
            """Print the event."""
            sys.stdout.write(f"{item}\n")

    asyncio.run(main(PrintingQueue(), {"interval": 10, "thresholds": {"all": "10%"}}))
