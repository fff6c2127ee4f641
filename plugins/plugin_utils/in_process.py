# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do a module's work in Ansible's own worker process, if the task allows it.

A module spends nearly all of its time on being packaged and on starting Python, on the machine where Ansible runs
already. So the work is done here, with the same checks of the options and the same result. If a task needs a separate
process, the module runs as usual.
"""

from __future__ import annotations

import datetime
import multiprocessing
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import merge_hash
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.redaction import masked
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import NOBODY, Caller
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.wire import REQUESTS_IMPORT_ERROR, load_bundle
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.stores import load_postgresql
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.arguments import prepared
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import ENVIRONMENT, POSTGRESQL, registered_secrets
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.outcome import CALLER, Work, outcome_of, refusal_of

#: The variable that turns this off, to compare and to find errors.
SWITCH = "koodrive_in_process"

display = Display()

#: The environment variables that the collection and requests read at each run, or do not use at all.
READ_AT_RUN = re.compile(r"KOODRIVE_\w+|(?i:(https?|all|no)_proxy)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|SSL_CERT_(FILE|DIR)")

# Ansible imports this file in the process that forks its workers. So this loads once for all workers what takes long:
# the CA bundle (20 ms), and the library of the database with its OpenSSL.
load_bundle()
if os.environ.get(ENVIRONMENT["ledger"], "").startswith(POSTGRESQL):
    load_postgresql().start_openssl()


class InProcessAction(ActionBase):
    """The base of the action plugins. Each plugin adds the argument spec and the work of its module."""

    argument_spec: ClassVar[dict[str, Any]]
    #: The function that does the module's work.
    work: ClassVar[Work]

    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of the task, from this process or from a module."""
        variables = task_vars or {}
        playbook = _playbook()
        if os.getppid() != playbook:
            # Ansible's worker goes on with the other items of a loop, and with the other tries of until.
            raise AnsibleError("The playbook that started this task has ended. Nothing was sent.")
        result: dict[str, Any] = super().run(tmp, variables)
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        reason = self._reason_for_module(variables, environment)
        host = variables.get("inventory_hostname")
        if reason:
            display.vvv(f"{self._task.action} runs as a module: {reason}", host=host)
            arguments = self._module_arguments(playbook)
            result = merge_hash(result, self._execute_module(module_args=arguments, task_vars=variables, wrap_async=self._task.async_val))
            # Since ansible-core 2.22, Ansible masks a module's result when it shows it, but not in the registered
            # variable.
            with with_environment(environment):
                options = _validated(self._task.args, self.argument_spec).validated_parameters
                return _masked_result(result, registered_secrets(self.argument_spec, options))
        display.vvv(f"{self._task.action} runs in Ansible's own process", host=host)
        # A module runs in this folder, so a relative path means the same on both paths.
        with working_in(self._loader.get_basedir()), with_environment(environment):
            caller = Caller(lambda: os.getppid() == playbook)
            if not self._task.no_log:
                caller = caller._replace(say=lambda text: display.display(f"[{host}] {text}"))
            done = run_in_process(self._task.action, self._task.args, self.argument_spec, self.work, self._task.check_mode, caller)
        if not _shows_invocation(variables):
            del done["invocation"]
        return {**result, **done}

    def _module_arguments(self, playbook: int) -> dict[str, Any]:
        """Return the arguments of the module.

        On this machine, it can see whether ``playbook``, a process ID, still runs, and when the keyword timeout ends
        the task. Ansible does not stop the module then, and in a loop it also keeps the module's output open.
        """
        if self._connection.transport != "local" or self._task.async_val:
            return dict(self._task.args)
        left = signal.getitimer(signal.ITIMER_REAL)[0]
        return {**self._task.args, CALLER: (os.getpid(), playbook, time.monotonic() + left if left else None)}

    def _reason_for_module(self, variables: Mapping[str, Any], environment: Mapping[str, Any]) -> str | None:
        """Return why this task must run as a module, or None. ``environment`` is the task's keyword."""
        if not boolean(self._templar.template(variables.get(SWITCH, True)), strict=False):
            return f"{SWITCH} is false"
        if self._connection.transport != "local":
            return f"the connection is {self._connection.transport}"
        if self._connection.become:
            return "it becomes another user"
        if self._task.async_val:
            return "it is asynchronous"
        others = [name for name in environment if not READ_AT_RUN.fullmatch(name)]
        if others:
            return f"its environment has {others[0]}"
        if sys.platform == "darwin":
            return "on macOS, a forked process ends when it asks the system for its proxies"
        if REQUESTS_IMPORT_ERROR:
            return "requests cannot be imported by the Python that Ansible runs on"
        return None


def _playbook() -> int:
    """Return the ID of the process that started this worker, also if it has ended."""
    parent = multiprocessing.parent_process()
    return os.getppid() if parent is None or parent.pid is None else parent.pid


@contextmanager
def working_in(folder: str) -> Iterator[None]:
    """Work in ``folder``, then return to the folder before, even if that was renamed."""
    with ExitStack() as back:
        try:
            before = os.open(".", os.O_RDONLY)
        except PermissionError:
            pass  # This user may not read the folder, and so cannot return to it.
        else:
            back.callback(os.close, before)
            back.callback(os.fchdir, before)
        os.chdir(folder)
        yield


@contextmanager
def with_environment(environment: Mapping[str, Any]) -> Iterator[None]:
    """Set the variables of a task's ``environment``, as Ansible does for a module, then restore the variables."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update({name: str(value) for name, value in environment.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def run_in_process(
    name: str, arguments: Mapping[str, Any], argument_spec: dict[str, Any], work: Work, check_mode: bool, caller: Caller = NOBODY
) -> dict[str, Any]:
    """Return what the module ``name`` returns for ``arguments``: check the options, do the work, mask the secrets."""
    validated = _validated(arguments, argument_spec)
    options = validated.validated_parameters
    secrets = registered_secrets(argument_spec, options)
    if validated.error_messages:
        prefix = f"Unsupported parameters for ({name}) module: " if isinstance(validated.errors[0], UnsupportedError) else ""
        result = refusal_of(validated.error_messages, argument_spec, prefix)
    else:
        result = outcome_of(work, options, check_mode, caller._replace(say=lambda text: caller.say(masked(text, secrets))))
    if not result.get("warnings"):
        result.pop("warnings", None)
    result["invocation"] = {"module_args": options}
    return _masked_result(result, secrets)


def _validated(arguments: Mapping[str, Any], argument_spec: dict[str, Any]) -> ValidationResult:
    return ArgumentSpecValidator(argument_spec).validate(prepared(argument_spec, _plain(arguments)))


def _plain(value: Any) -> Any:
    """Return the value as a module gets it, from JSON: without the tags that Ansible adds to values."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, datetime.date):
        return value.isoformat()
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    # A text. If it is vaulted, this decrypts it.
    return str(value)


def _masked_result(result: dict[str, Any], secrets: set[str]) -> dict[str, Any]:
    return {key: masked(value, secrets) for key, value in result.items()}


def _shows_invocation(variables: Mapping[str, Any]) -> bool:
    """Return whether results have the key ``invocation``. Before ansible-core 2.21, all results have it."""
    try:
        return bool(C.config.get_config_value("INJECT_INVOCATION", variables=variables))
    except AnsibleError:
        return True
