# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's work inside Ansible's own worker process: when that is allowed, and how.

Nearly all of a module's time goes into packaging it and starting a Python for it, on the very machine that Ansible runs on.
Where nothing speaks for a process of its own, the same work is done here, behind the same checks of its options and with the
same result; in every other case the module runs as if this were not here.
"""

from __future__ import annotations

import os
import re
import sys
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
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.redaction import masked, register_secrets
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.waiting import NOBODY, Caller
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.api.wire import REQUESTS_IMPORT_ERROR, load_bundle
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.ledger.stores import load_for
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.arguments import prepared
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.options import ENVIRONMENT, secrets_of
from ansible_collections.huaweicloud.koodrive.plugins.module_utils.task.outcome import PARENTS, Work, outcome_of, refusal_of

#: The variable that turns this off, for comparison and for support.
SWITCH = "koodrive_in_process"

display = Display()

#: What our code, or requests for it, reads of the environment.
READ_HERE = re.compile(r"KOODRIVE_\w+|(?i:(https?|all|no)_proxy)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|SSL_CERT_(FILE|DIR)")

# Ansible imports this file in the process that forks its workers. What they need and takes long to load is loaded here, once for all of them: the
# CA bundle (20 ms), and a database's library.
load_bundle()
load_for(os.environ.get(ENVIRONMENT["ledger"], ""))


class InProcessAction(ActionBase):
    """The base of the action plugins: each adds the argument spec and the work of the module of its name."""

    argument_spec: ClassVar[dict[str, Any]]
    #: What the module does.
    work: ClassVar[Work]

    TRANSFERS_FILES = False
    _supports_async = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The result of the task, by the one path or by the other."""
        variables = task_vars or {}
        playbook = os.getppid()
        result: dict[str, Any] = super().run(tmp, variables)
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        why_not = self._why_not(variables, environment)
        host = variables.get("inventory_hostname")
        if why_not:
            display.vvv(f"{self._task.action} runs as a module: {why_not}", host=host)
            arguments = self._module_arguments(playbook)
            result = merge_hash(result, self._execute_module(module_args=arguments, task_vars=variables, wrap_async=self._task.async_val))
            # Since ansible-core 2.22 the result of a module is masked where it is shown, and not where it is registered.
            with with_environment(environment):
                return _without_secrets(result, self.argument_spec, _validated(self._task.args, self.argument_spec).validated_parameters)
        display.vvv(f"{self._task.action} runs in Ansible's own process", host=host)
        # Where a module on this machine runs, so that relative paths mean the same, in options and in the environment.
        with working_in(self._loader.get_basedir()), with_environment(environment):
            caller = Caller(lambda: os.getppid() == playbook, lambda text: display.display(f"[{host}] {text}"))
            done = run_in_process(self._task.action, self._task.args, self.argument_spec, self.work, self._task.check_mode, caller)
        if not _shows_invocation(variables):
            del done["invocation"]
        return {**result, **done}

    def _module_arguments(self, playbook: int) -> dict[str, Any]:
        """Return the arguments of the module. On this machine, it can see whether ``playbook``, a process ID, still runs."""
        is_watched = self._connection.transport == "local" and not self._task.async_val
        return {**self._task.args, **({PARENTS: (os.getpid(), playbook)} if is_watched else {})}

    def _why_not(self, variables: Mapping[str, Any], environment: Mapping[str, Any]) -> str | None:
        """What speaks for a process of its own, if anything does; ``environment`` is the task's own."""
        if not boolean(self._templar.template(variables.get(SWITCH, True)), strict=False):
            return f"{SWITCH} is false"
        if self._connection.transport != "local":
            return f"the connection is {self._connection.transport}"
        if self._connection.become:
            return "it becomes another user"
        if self._task.async_val:
            return "it is asynchronous"
        others = [name for name in environment if not READ_HERE.fullmatch(name)]
        if others:
            return f"its environment has {others[0]}"
        if sys.platform == "darwin":
            return "on macOS, asking the system for its proxies would end a forked process"
        if REQUESTS_IMPORT_ERROR:
            return "requests cannot be imported by the Python that Ansible runs on"
        return None


@contextmanager
def working_in(folder: str) -> Iterator[None]:
    """Have ``folder`` as the working directory for a while. The one before is found again even if it has lost its name."""
    with ExitStack() as back:
        try:
            before = os.open(".", os.O_RDONLY)
        except PermissionError:
            pass  # One that this user may not look into is nowhere to go back to.
        else:
            back.callback(os.close, before)
            back.callback(os.fchdir, before)
        os.chdir(folder)
        yield


@contextmanager
def with_environment(environment: Mapping[str, Any]) -> Iterator[None]:
    """Have the variables of a task's ``environment`` for a while, as a module of this task would find them."""
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
    """What the module ``name``, as the task spells it, would return for ``arguments``: options checked, work done, secrets masked."""
    validated = _validated(arguments, argument_spec)
    options = validated.validated_parameters
    if validated.error_messages:
        prefix = f"Unsupported parameters for ({name}) module: " if isinstance(validated.errors[0], UnsupportedError) else ""
        result = refusal_of(validated.error_messages, argument_spec, prefix)
    else:
        result = outcome_of(work, options, check_mode, caller)
    if not result.get("warnings"):
        result.pop("warnings", None)
    result["invocation"] = {"module_args": options}
    return _without_secrets(result, argument_spec, options)


def _validated(arguments: Mapping[str, Any], argument_spec: dict[str, Any]) -> ValidationResult:
    return ArgumentSpecValidator(argument_spec).validate(prepared(argument_spec, _plain(arguments)))


def _plain(value: Any) -> Any:
    """The value as a module would get it: as JSON, that is, without what Ansible attaches to values of its own."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    # Texts, and vaulted ones too, which this decrypts.
    return str(value)


def _without_secrets(result: dict[str, Any], argument_spec: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The result with the secrets of the task and of the environment masked, which Ansible masks wherever it can from now on."""
    secrets = secrets_of(argument_spec, options, os.environ)
    register_secrets(secrets)
    return {key: masked(value, secrets) for key, value in result.items()}


def _shows_invocation(variables: Mapping[str, Any]) -> bool:
    """Whether results have the key ``invocation``; before ansible-core 2.21 all had."""
    try:
        return bool(C.config.get_config_value("INJECT_INVOCATION", variables=variables))
    except AnsibleError:
        return True
