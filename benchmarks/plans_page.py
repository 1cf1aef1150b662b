# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""docs/Results.md and its plots, from what benchmarks/plans.py measured."""

import json
import statistics

#: Groups of rows in the order of the page, with the colour of each.
GROUPS = {
    "dense": ("Dense, fewer steps", "#808080"),
    "broadcast": ("Pyramid attention broadcast", "#3b6fb6"),
    "v1": ("DiTFastAttn", "#c8553d"),
    "v2": ("DiTFastAttn V2", "#e0a030"),
    "auto": ("Searched plans", "#2a8f5b"),
}
BOUND = 30.0


def summarize(row, measured):
    """The numbers of a row, or None if nothing was measured of it."""
    entry = measured.get(row.name)
    if entry is None or entry["key"] != row.key or not entry["samples"]:
        return None
    samples = list(entry["samples"].values())
    psnr = [s["psnr"] for s in samples]
    ratios = [base / own for own, base in entry["seconds"]]
    return {
        "row": row, "count": len(samples), "steps": len(row.settings.places),
        "least": min(psnr), "mean": statistics.fmean(psnr),
        "ssim": min(s["ssim"] for s in samples),
        "attention": entry["operations"]["attention"], "work": entry["operations"]["total"],
        "speed": statistics.median(ratios) if ratios else None,
        "seconds": statistics.median(own for own, _ in entry["seconds"]) if ratios else None,
    }


def as_table(entries, dense):
    lines = ["| | steps | time | faster | attention FLOPs | all FLOPs | PSNR least | mean "
             "| SSIM least | samples |", "|---|" + "---:|" * 9]
    for e in entries:
        seconds = "" if e["seconds"] is None else f"{e['seconds']:.2f} s"
        speed = "" if e["speed"] is None else f"{e['speed']:.2f}x"
        least = f"**{e['least']:.1f}**" if e["least"] >= BOUND else f"{e['least']:.1f}"
        lines.append(
            f"| {e['row'].label} | {e['steps']} | {seconds} | {speed} "
            f"| {100 * e['attention'] / dense['attention']:.1f} % "
            f"| {100 * e['work'] / dense['total']:.1f} % | {least} | {e['mean']:.1f} "
            f"| {e['ssim']:.3f} | {e['count']} |")
    return "\n".join(lines)


def draw(path, title, entries, dense):
    try:
        import matplotlib
    except ImportError:
        raise SystemExit("plans: the plots need matplotlib; install it into .venv: "
                         ".venv/bin/pip install matplotlib") from None
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "dit", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(10, 7), sharex="col", sharey="row")
    columns = [
        ("time of the dense 30 steps, in %",
         lambda e: None if e["speed"] is None else 100 / e["speed"])
        if any(e["speed"] for e in entries) else
        ("all FLOPs of the dense 30 steps, in %", lambda e: 100 * e["work"] / dense["total"]),
        ("attention FLOPs of the dense 30 steps, in %",
         lambda e: 100 * e["attention"] / dense["attention"]),
    ]
    kinds = [("PSNR in dB, least of all samples", "least"), ("SSIM, least of all samples", "ssim")]
    for y, (name, key) in enumerate(kinds):
        axes[y, 0].set_ylabel(name)
        for x, (label, measure) in enumerate(columns):
            axis = axes[y, x]
            axis.set_xscale("log")
            axis.grid(alpha=0.3, which="both")
            if key == "least":
                axis.axhline(BOUND, color="black", linewidth=0.8, linestyle="--")
            if y == 1:
                axis.set_xlabel(label)
            for group, (legend, colour) in GROUPS.items():
                points = [(measure(e), e[key]) for e in entries if e["row"].group == group]
                points = sorted(p for p in points if p[0] is not None)
                if points:
                    axis.plot(*zip(*points), "o", color=colour, label=legend, markersize=5)
    handles, labels = axes[0, 1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=len(labels), frameon=False,
                  bbox_to_anchor=(0.5, 0.96))
    figure.suptitle(title, y=0.995)
    figure.tight_layout(rect=(0, 0, 1, 0.94))
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def judge(entries, dense):
    """What the bound leaves, in words: of rows with as many samples as the plans,
    by operations, and by time where it was measured."""
    plans = [e for e in entries if e["row"].group == "auto" and e["least"] >= BOUND]
    if not plans:
        return ""
    count = max(e["count"] for e in plans)
    rivals = [e for e in entries if e["row"].group == "dense" and e["least"] >= BOUND
              and e["count"] >= count]
    lines = []
    for unit, gain in (("in operations", lambda e: dense["total"] / e["work"]),
                       ("in time", lambda e: e["speed"] or 0.0)):
        best = max(plans, key=gain)
        if not gain(best):
            continue
        line = (f"- {unit[3:].capitalize()}: the best plan in the bound ({best['row'].label}; "
                f"{best['least']:.1f} dB at least, {best['count']} samples) gains {gain(best):.2f}x "
                "over the dense sampler with 30 steps")
        rival = max(rivals, key=gain, default=None)
        if rival is not None and gain(rival):
            line += (f", and **{gain(best) / gain(rival):.2f}x** over the best dense sampler "
                     f"in the bound ({rival['row'].label}: {gain(rival):.2f}x)")
        lines.append(line + ".")
    return "\n".join(lines)


def list_tried(tried):
    """What a search looked at, in two tables."""
    lines = ["| steps | shift | pattern | PSNR least | samples |", "|---:|---:|---|---:|---:|"]
    lines += [f"| {e['steps']} | {e['shift']:g} | `{e['pattern']}` | {e['psnr']:.2f} "
              f"| {e['samples']} |"
              for e in sorted(tried["patterns"], key=lambda e: (e["steps"], -e["psnr"]))]
    lines += ["", "Changes of the pattern `11010`, and pairs of them (steps count from 0):", "",
              "| change | PSNR least | samples |", "|---|---:|---:|"]
    lines += [f"| {e['change']} | {e['psnr']:.2f} | {e['samples']} |" for e in tried["branches"]]
    for pattern, entries in tried["places"].items():
        best = max(entries, key=lambda e: e["psnr"])
        places = ", ".join(f"{u:.3f}" for u in best["places"])
        lines += ["", f"Of {len(entries)} placements of `{pattern}` the best has "
                  f"{best['psnr']:.2f} dB, at u = {places}."]
    return "\n".join(lines)


def write_page(root, models):
    docs = root / "docs"
    template = (root / "benchmarks" / "plans" / "page.md").read_text()
    for name, (rows, measured) in models.items():
        order = list(GROUPS)
        entries = [e for row in rows if (e := summarize(row, measured))]
        entries.sort(key=lambda e: order.index(e["row"].group))
        dense = measured["dense-30"]["operations"]
        shown = [e for e in entries if e["row"].group in GROUPS]
        tried = json.loads((root / "benchmarks" / "plans" / name / "tried.json").read_text())
        draw(docs / "images" / f"results-{name}.svg", name, shown, dense)
        template = template.replace(f"<!-- table {name} -->", as_table(shown, dense))
        template = template.replace(f"<!-- tried {name} -->", list_tried(tried))
        template = template.replace(f"<!-- judge {name} -->", judge(shown, dense))
    (docs / "Results.md").write_text(template)
    print(json.dumps({name: len(m) for name, (_, m) in models.items()}))
