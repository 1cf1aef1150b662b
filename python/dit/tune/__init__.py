# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Search: the fastest plan of a model whose samples stay near the dense ones.

The command ``python -m dit.tune FOLDER --min-psnr 30 --out plan.json`` profiles a
folder as ``examples/wan-mini``, tries plans on some of its clips, and asks
``--dit-plan-auto`` for the best plan of all steps that it was given, until one
holds. ``python -m dit.sample FOLDER --plan plan.json`` samples under it.
"""

from dit.tune._evaluate import Evaluator, Trial
from dit.tune._search import Options, Result, search

__all__ = ["Evaluator", "Options", "Result", "Trial", "search"]
