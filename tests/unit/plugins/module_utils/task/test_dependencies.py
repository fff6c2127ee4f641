# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test what the code needs from private parts of libraries. If one of these tests fails, look here first."""

from __future__ import annotations

import inspect

import urllib3
from ansible.module_utils.basic import AnsibleModule


def test_a_urllib3_connection_is_made_by__new_conn_from_host_and_timeout() -> None:
    for pool in (urllib3.HTTPConnectionPool, urllib3.HTTPSConnectionPool):
        connection = pool.ConnectionCls("example.org", 443)
        connection.host = "192.0.2.1"
        connection.timeout = 0.5
        assert connection._dns_host == "192.0.2.1" and connection.host == "192.0.2.1"
        source = inspect.getsource(type(connection)._new_conn)
        assert "self._dns_host" in source and "self.timeout" in source


def test_a_urllib3_pool_manager_takes_its_pools_from_pool_classes_by_scheme() -> None:
    manager = urllib3.PoolManager()

    class Pool(urllib3.HTTPConnectionPool):
        """A class that urllib3 does not know."""

    manager.pool_classes_by_scheme = {"http": Pool}
    assert isinstance(manager.connection_from_url("http://example.org"), Pool)


def test_an_ansible_module_takes_its_options_by__load_params_after_it_has_no_log_values() -> None:
    source = inspect.getsource(AnsibleModule.__init__)
    assert source.index("self.no_log_values = set()") < source.index("self._load_params()") < source.index("self.validator.validate(self.params)")
