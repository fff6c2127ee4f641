# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of what every module has."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options, and the attributes that go with them."""

    DOCUMENTATION = r"""
options:
  endpoint:
    description:
      - The KooDrive endpoint, a host with a port if need be, with or without C(https://).
      - The international site (AP-Singapore) is C(intl.myhuaweicloud-koodrive.com), the Chinese site (CN North-Beijing4)
        is C(cn.myhuaweicloud-koodrive.com).
      - Plain C(http://) is accepted to a loopback address only, and then takes no proxy.
      - Capital letters, a dot at the end and the scheme's own port make no difference.
      - If not set, the value of the environment variable E(KOODRIVE_ENDPOINT) is used; without that,
        V(https://intl.myhuaweicloud-koodrive.com).
    type: str
  token:
    description:
      - The access token, as C(c69b...), C(Bearer c69b...) or C(Bearer+c69b...). It lives 20 minutes, and each call renews it. A token of
        the carrier edition, C(AT c69b...) or C(AT+c69b...), is sent as it is.
      - If not set, the value of the environment variable E(KOODRIVE_TOKEN) is used.
      - Either O(token) or O(app_id) must be given, in the task or in the environment, and not both. What the task says goes
        before the environment, so O(token) in the task beside E(KOODRIVE_APP_ID) in the environment is no conflict.
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
      - The ID of the KooDrive user in whose name the calls are made (header C(X-User-Id)).
      - Required with O(app_id); sent with O(token) if given.
      - If not set, the value of the environment variable E(KOODRIVE_USER_ID) is used.
    type: str
  language:
    description:
      - The language of KooDrive's own messages, such as V(en-US) or V(zh-CN).
      - If not set, the value of the environment variable E(KOODRIVE_LANGUAGE) is used; without that, V(en-US).
    type: str
  trace_id:
    description:
      - The ID by which KooDrive's logs know this run (header C(X-Traceid)), exactly 58 letters, digits or underscores.
      - If not set, a fresh one is made, the same for all calls of the run. The result and every error show it.
    type: str
  timeout:
    description:
      - How many seconds one request may take, from the connection to the last byte of the reply; 1 to 3600.
      - Ansible's own task keyword C(timeout) ends the whole task. On the machine that Ansible runs on, an ended task sends
        nothing more. On a remote host, Ansible leaves the module running, so use this option there and not the keyword.
    type: int
    default: 30
  retries:
    description:
      - How often a read is tried again that failed for a passing reason (connection failure, time-out, HTTP 429 or 5xx, or
        code 13000201, a fault of the server); 0 to 20.
      - A transfer is sent again, at most as often in one run, only if no connection was made or KooDrive answered HTTP 429.
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
      - On this machine, a relative path begins at the folder of the playbook.
      - If not set, the environment variable E(REQUESTS_CA_BUNDLE) is honoured; without that, the CA certificates that
        come with the Python library C(requests) are used.
    type: path
requirements:
  - requests >= 2.25.1
notes:
  - An option or an environment variable that is blank (nothing, or a text of white space at the most) counts as not set.
  - Proxies are taken from the environment variables E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY). The file C(~/.netrc) is not consulted.
"""

    ATTRIBUTES = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second run reports no change.
  action_group:
    description: Use C(group/huaweicloud.koodrive.koodrive) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - huaweicloud.koodrive.koodrive
"""
