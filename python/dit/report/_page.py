# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The page: sections over charts."""

from __future__ import annotations

import html
from collections import Counter
from typing import Any

from dit.report._charts import bar_chart, heat_map, legend, line_chart
from dit.report._data import Branch, Measured, Plan, Profile

_MODES = {"full": ("full", "#2f6db5"), "half": ("one half of the batch for both", "#7fb3e6"),
          "window": ("window", "#e0a030"), "residual": ("window and residual", "#c8553d"),
          "arrow": ("arrow", "#4c956c"), "topk": ("top-k", "#8e5ea2"),
          "share": ("shared: nothing computed", "#dcdfe3")}

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1.2rem; max-width: 68rem;
  color: #1c2430; background: #fff; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .4rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .3rem; }
p { margin: .4rem 0; max-width: 46rem; }
.facts { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0; padding: 0; }
.facts div { background: #f1f4f8; border-radius: .4rem; padding: .5rem .8rem; flex: 1 1 9rem; }
.facts b { display: block; font-size: 1.25rem; }
.chart, .table { overflow-x: auto; margin: .5rem 0; }
.chart svg { display: block; width: 100%; min-width: 60rem; font: 12px system-ui, sans-serif; }
.grid { stroke: #d5dae1; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .9rem; max-width: none; }
.legend i { display: inline-block; width: .9em; height: .9em; margin-right: .4em; }
table { border-collapse: collapse; font-size: .9rem; }
td, th { border-bottom: 1px solid #d5dae1; padding: .25rem .7rem; text-align: right;
  white-space: nowrap; }
td:first-child, th:first-child { text-align: left; padding-left: 0; }
"""


def _describe(mode: Any) -> str:
    """A mode in words, as plans print it."""
    if isinstance(mode, str):
        return mode
    text = str(mode["mode"])
    for key in ("width", "fraction", "mass", "from"):
        if key in mode:
            text += f" {key} {mode[key]}"
    if mode.get("residual"):
        text += " residual"
    if "half" in mode:
        text += f" half {mode['half']}"
    return text


def _class(mode: Any) -> str:
    """The entry of the legend."""
    if isinstance(mode, str):
        return mode if mode in _MODES else "full"
    if mode.get("residual"):
        return "residual"
    if mode["mode"] == "full" and "half" in mode:
        return "half"
    return mode["mode"] if mode["mode"] in _MODES else "full"


def _mode(branch: Branch, step: int, head: int) -> Any:
    heads = branch.modes[step]
    return heads[head if len(heads) > 1 else 0]


def _heads(branch: Branch) -> int:
    return max(map(len, branch.modes))


def _get_seconds(profile: Profile, site: str, step: int) -> float:
    return sum(entry.get(step, 0) for entry in profile.find("seconds", site)
               if entry.mode is None)


def _predict(profile: Profile, branch: Branch, step: int) -> float:
    """Seconds of a branch under its modes: those measured of a mode, half of the
    time for half of the batch, nothing for a share, and otherwise that in full."""
    full = _get_seconds(profile, branch.site, step)
    heads = _heads(branch)
    total = 0.0
    for head in range(heads):
        mode = _mode(branch, step, head)
        if mode == "share" or (isinstance(mode, dict) and mode["mode"] == "share"):
            continue
        known = profile.find("seconds", branch.site, mode) if isinstance(mode, dict) else []
        seconds = known[0].get(step) if known else full
        if not known and isinstance(mode, dict) and "half" in mode:
            seconds /= 2
        total += seconds / heads
    return total


def _plan_section(profile: Profile, plan: Plan) -> str:
    rows = plan.branches
    used = Counter(_class(_mode(branch, step, head)) for branch in rows
                   for step in range(len(plan.timesteps)) for head in range(_heads(branch)))
    chart = heat_map(
        "Modes by site, head and step", [branch.site for branch in rows], len(plan.timesteps),
        [_heads(branch) for branch in rows],
        lambda row, step, head: _MODES[_class(_mode(rows[row], step, head))][1],
        lambda row, step, head: (f"{rows[row].site}, head {head}, step {step} (t = "
                                 f"{plan.timesteps[step]:g}): "
                                 f"{_describe(_mode(rows[row], step, head))}"))
    return ("<h2>What the plan does</h2><p>Rows are branches of the model, stripes in them heads, "
            "columns steps of the sampler.</p>" + chart
            + legend([_MODES[name] for name in _MODES if name in used]))


def _shade(value: float) -> str:
    low, high = (247, 250, 253), (12, 52, 104)
    return "#" + "".join(f"{round(a + (b - a) * value):02x}" for a, b in zip(low, high))


def _sparsity_section(profile: Profile) -> str:
    entries = profile.find("sparsity")
    if not entries:
        return ""
    parts = ["<h2>Sparsity</h2><p>One minus the share of keys that hold the given share of the "
             "softmax mass, a mean over the queries: dark heads look at few keys.</p>"]
    for mass in sorted({entry.mass or 0.0 for entry in entries}):
        rows = [entry for entry in entries if (entry.mass or 0.0) == mass]
        parts.append(f"<p>Share of the mass: {mass:g}</p>" + heat_map(
            f"Sparsity at {mass:g}", [entry.site for entry in rows], len(profile.timesteps),
            [len(entry.values[0]) for entry in rows],
            lambda row, step, head: _shade(min(max(rows[row].get(step, head), 0.0), 1.0)),
            lambda row, step, head: (f"{rows[row].site}, head {head}, step {step}: "
                                     f"{rows[row].get(step, head):.3f}"), height=26))
    parts.append(legend([(f"{share:g}", _shade(share)) for share in (0, 0.25, 0.5, 0.75, 1)]))
    return "".join(parts)


def _kind_of(site: str, plan: Plan | None) -> str:
    kinds = {branch.site: branch.kind for branch in plan.branches} if plan else {}
    return kinds.get(site, "mlp" if site.rsplit(".", 1)[-1].startswith("mlp")
                     else site.rsplit(".", 1)[-1])


def _by_kind(entries: list[Measured], plan: Plan | None) -> dict[str, list[Measured]]:
    groups: dict[str, list[Measured]] = {}
    for entry in entries:
        groups.setdefault(_kind_of(entry.site, plan), []).append(entry)
    return groups


def _difference_section(profile: Profile, plan: Plan | None) -> str:
    parts = []
    for metric, title, text in (
            ("step_difference", "Differences between steps",
             "Mean squared difference of what branches add to that of the step before, a mean "
             "over the branches of a kind: where the curve is low, a value can be shared."),
            ("guidance_difference", "Differences between the halves of the batch",
             "The same between the entries with and without the text.")):
        groups = _by_kind(profile.find(metric), plan)
        if not groups:
            continue
        first = 1 if metric == "step_difference" else 0
        lines = [(kind, [None if step < first else
                         sum(entry.get(step, 0) for entry in group) / len(group)
                         for step in range(len(profile.timesteps))])
                 for kind, group in groups.items()]
        parts.append(f"<h2>{title}</h2><p>{text}</p>" + line_chart(title, "", lines, log=True))
    return "".join(parts)


def _memory_section(plan: Plan, caches: dict[str, Any] | None) -> str:
    if caches is not None:
        held = [size / 2 ** 20 for size in caches["bytes_after_step"]]
        text = (f"What the plan keeps after each step; {caches['peak_bytes'] / 2 ** 20:.3g} MiB at "
                f"the peak, {caches['carried_bytes'] / 2 ** 20:.3g} MiB in a program with one body "
                "for all steps.")
        chart = line_chart("Memory of caches", "MiB", [("caches", held)], filled=True)
    else:
        counts = [float(sum(_is_held(branch, step) for branch in plan.branches))
                  for step in range(len(plan.timesteps))]
        text = ("How many branches keep a value after each step for a later one. With the model "
                "(<code>--model</code>) these are bytes.")
        chart = line_chart("Values kept", "values", [("branches", counts)], filled=True)
    return f"<h2>Memory over time</h2><p>{text}</p>{chart}"


def _is_held(branch: Branch, step: int) -> bool:
    """Whether a later step takes a value that a head has at `step`."""
    for head in range(_heads(branch)):
        for later in range(step + 1, len(branch.modes)):
            mode = _mode(branch, later, head)
            shares = _class(mode) in ("share", "residual")
            if shares and (not isinstance(mode, dict) or mode.get("from", step) <= step):
                return True
            if mode == "full" and not shares:
                break
    return False


def _time_section(profile: Profile, plan: Plan | None, runs: list[dict[str, Any]]) -> str:
    steps = range(len(profile.timesteps))
    full = [sum(_get_seconds(profile, site, step) for site in profile.sites) for step in steps]
    if not any(full):
        return ""
    planned = {branch.site: branch for branch in plan.branches} if plan else {}
    predicted = [sum(_predict(profile, planned[site], step) if site in planned
                     else _get_seconds(profile, site, step) for site in profile.sites)
                 for step in steps]
    lines = [("measured, all branches in full", [1e3 * value for value in full])]
    bars = [("branches, in full", sum(full))]
    if plan:
        lines.append(("predicted, under the plan", [1e3 * value for value in predicted]))
        bars.append(("branches, predicted", sum(predicted)))
    dense = [trial["seconds"] for trial in [*profile.trials, *runs]
             if not trial.get("plan") and "seconds" in trial]
    if dense:
        bars.append(("dense run, measured", min(dense)))
        if plan:
            rest = max(min(dense) - sum(full), 0.0)
            bars.append(("planned run, predicted", rest + sum(predicted)))
    bars += [(f"planned run, measured{' ' + str(index) if index else ''}", trial["seconds"])
             for index, trial in enumerate(
                 trial for trial in [*profile.trials, *runs]
                 if trial.get("plan") and "seconds" in trial)]
    text = ("Time in the branches of the model at each step, and of whole runs where they were "
            "measured. A prediction takes the time of a branch under a mode where the profile has "
            "it, half of the time for half of the batch, and else the time in full; what is no "
            "branch counts as in the dense run.")
    return (f"<h2>Time, predicted and measured</h2><p>{text}</p>"
            + line_chart("Time of the branches", "ms", lines) + bar_chart("Totals", "s", bars))


def _table(profile: Profile, plan: Plan | None) -> str:
    header = ["site", "kind", "time, full", "share of time"]
    branches = {branch.site: branch for branch in plan.branches} if plan else {}
    if plan:
        header += ["computed", "time, predicted"]
    steps = range(len(profile.timesteps))
    totals = {site: sum(_get_seconds(profile, site, step) for step in steps)
              for site in profile.sites}
    everything = sum(totals.values()) or 1.0
    rows = []
    for site, total in totals.items():
        cells = [site, _kind_of(site, plan), f"{1e3 * total:.1f} ms",
                 f"{100 * total / everything:.1f} %"]
        if plan:
            branch = branches.get(site)
            heads = _heads(branch) if branch else 1
            computed = (sum(_class(_mode(branch, step, head)) != "share" for step in steps
                            for head in range(heads)) / heads if branch else len(steps))
            seconds = (sum(_predict(profile, branch, step) for step in steps) if branch
                       else total)
            cells += [f"{computed:g} of {len(steps)} steps", f"{1e3 * seconds:.1f} ms"]
        rows.append(cells)

    def line(tag: str, cells: list[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return ("<h2>Branches</h2><div class=\"table\"><table>" + line("th", header)
            + "".join(line("td", row) for row in rows) + "</table></div>")


def _facts(profile: Profile, plan: Plan | None) -> str:
    facts = [("steps", str(len(profile.timesteps))), ("branches", str(len(profile.sites)))]
    if plan:
        total = executed = 0.0
        for branch in plan.branches:
            heads = _heads(branch)
            for step in range(len(plan.timesteps)):
                total += 1
                executed += sum(_class(_mode(branch, step, head)) != "share"
                                for head in range(heads)) / heads
        facts.append(("of the planned branch steps run", f"{100 * executed / (total or 1):.0f} %"))
    return '<div class="facts">' + "".join(
        f"<div><b>{html.escape(value)}</b>{html.escape(name)}</div>"
        for name, value in facts) + "</div>"


def write(title: str, profile: Profile, plan: Plan | None, caches: dict[str, Any] | None,
          runs: list[dict[str, Any]]) -> str:
    """The whole page."""
    sections = [_facts(profile, plan), _plan_section(profile, plan) if plan else "",
                _time_section(profile, plan, runs), _sparsity_section(profile),
                _difference_section(profile, plan),
                _memory_section(plan, caches) if plan else "", _table(profile, plan)]
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
            f"<body><h1>{html.escape(title)}</h1>{''.join(sections)}</body></html>\n")
