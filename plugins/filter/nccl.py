# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that reads what nccl-tests or rccl-tests printed."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_tests as printed


def nccl_tests(text):
    """See nccl_tests.yml."""
    if not isinstance(text, str):
        raise AnsibleFilterError("gpuwright.node.nccl_tests needs the output of nccl-tests as one text, such as "
                                 "result.stdout, not %s; join lines with | join('\\n')" % type(text).__name__)
    return printed.parse(str(text))


class FilterModule:
    """The filters of this file, by name."""

    def filters(self):
        """Name to function."""
        return {"nccl_tests": nccl_tests}
