# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reports: a profile and a plan as one page of HTML.

The command is ``python -m dit.report profile.json plan.json --out page.html``.
"""

from dit.report._data import Plan, Profile, read_plan, read_profile
from dit.report._page import write

__all__ = ["Plan", "Profile", "read_plan", "read_profile", "write"]
