# Copyright (c) 2026, the huaweicloud.koodrive maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that all modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options, and attributes of modules."""

    DOCUMENTATION = r"""
options:
  endpoint:
    description:
      - The KooDrive endpoint, a host with or without a port and C(https://).
      - The international site (AP-Singapore) is C(intl.myhuaweicloud-koodrive.com). The Chinese site (CN
        North-Beijing4) is C(cn.myhuaweicloud-koodrive.com).
      - Plain C(http://) works only for a loopback address. It then uses no proxy.
      - Capital letters, a dot at the end and the default port of the scheme make no difference.
      - If not set, the module uses the environment variable E(KOODRIVE_ENDPOINT). Without that, it uses
        V(https://intl.myhuaweicloud-koodrive.com).
    type: str
  token:
    description:
      - The access token, as C(c69b...), C(Bearer c69b...) or C(Bearer+c69b...). It lives 20 minutes, and each call
        renews it. The module sends a token of the carrier edition, C(AT c69b...) or C(AT+c69b...), unchanged.
      - If not set, the module uses the environment variable E(KOODRIVE_TOKEN).
      - Give either O(token) or O(app_id), in the task or in the environment, but not both. The options of the task take
        precedence. So O(token) in the task does not conflict with E(KOODRIVE_APP_ID) in the environment.
    type: str
  app_id:
    description:
      - The AppId for app authentication. It also needs O(app_secret) and O(user_id).
      - If not set, the module uses the environment variable E(KOODRIVE_APP_ID).
    type: str
  app_secret:
    description:
      - The AppSecret of O(app_id). It signs the requests and is never sent.
      - If not set, the module uses the environment variable E(KOODRIVE_APP_SECRET).
    type: str
  user_id:
    description:
      - The ID of the KooDrive user who makes the calls (header C(X-User-Id)).
      - Required with O(app_id). With O(token), it is optional.
      - If not set, the module uses the environment variable E(KOODRIVE_USER_ID).
    type: str
  language:
    description:
      - The language of KooDrive's own messages, such as V(en-US) or V(zh-CN).
      - If not set, the module uses the environment variable E(KOODRIVE_LANGUAGE). Without that, it uses V(en-US).
    type: str
  trace_id:
    description:
      - The ID by which KooDrive's logs know this run (header C(X-Traceid)), exactly 58 letters, digits or underscores.
      - If not set, the module makes a new one, the same for all calls of the run. The result and every error show it.
    type: str
  timeout:
    description:
      - How many seconds one request may take, from the connection to the last byte of the reply; 1 to 3600.
      - Ansible's task keyword C(timeout) ends the whole task. On the machine that Ansible runs on, an ended task sends
        nothing more. On a remote host, Ansible leaves the module running. So use this option there, not the keyword.
    type: int
    default: 30
  retries:
    description:
      - How often the module repeats a read after a fault that may pass; 0 to 20. Such faults are a connection failure,
        a time-out, HTTP 429 or 5xx, and code 13000201, a fault of the server.
      - The module sends a transfer again only if no connection was made or KooDrive replied with HTTP 429. It does so
        at most this many times in one run.
      - The pauses between the tries grow, or are what KooDrive asks for. None is longer than O(timeout).
    type: int
    default: 3
  validate_certs:
    description:
      - Whether to verify the endpoint's TLS certificate. Set it to V(false) only for a test system.
    type: bool
    default: true
  ca_path:
    description:
      - A file or folder with the CA certificates that verify the endpoint's certificate.
      - If the task runs on the machine that Ansible runs on, a relative path begins at the folder of the playbook.
      - If not set, the module uses the environment variable E(REQUESTS_CA_BUNDLE), or else E(CURL_CA_BUNDLE). Without
        both, it uses the CA certificates of the Python library C(requests).
    type: path
requirements:
  - requests >= 2.25.1
notes:
  - A blank option or environment variable counts as not set. Blank means empty, or white space only.
  - The module takes proxies from the environment variables E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY). It does not
    read C(~/.netrc).
"""

    ATTRIBUTES = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff
      mode.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second run reports no change.
  action_group:
    description: Use C(group/huaweicloud.koodrive.koodrive) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - huaweicloud.koodrive.koodrive
"""
