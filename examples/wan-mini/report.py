# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table, the picture and the HTML page of the demo."""

import base64
import html
import math

import numpy as np
from PIL import Image, ImageDraw

COLUMNS = ["variant", "time", "compile", "attention FLOPs", "share",
           "PSNR to dense", "PSNR to PyTorch"]


def decibels(value):
    return "identical" if math.isinf(value) else f"{value:.2f} dB"


def rows(variants):
    for variant in variants:
        yield [variant.name, f"{variant.seconds:.2f} s",
               f"{variant.compile_seconds:.2f} s",
               f"{variant.flops / 1e9:.1f} G", f"{100 * variant.share:.1f} %",
               "-" if variant.name == "dense" else decibels(variant.db_dense),
               decibels(variant.db_torch)]


def as_text(variants):
    table = [COLUMNS, *rows(variants)]
    widths = [max(len(row[i]) for row in table) for i in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                       for i, (cell, width) in enumerate(zip(row, widths)))
             for row in table]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines)


def to_image(frame, scale):
    """`frame` of [3, H, W] between -1 and 1."""
    pixels = np.clip((frame.transpose(1, 2, 0) + 1) * 127.5 + 0.5, 0, 255)
    image = Image.fromarray(pixels.astype(np.uint8))
    return image.resize((image.width * scale, image.height * scale),
                        Image.NEAREST)


def write_frames(path, variants, torch, scale=3, label=64, gap=4):
    """One row for PyTorch and each variant, one column for each frame."""
    videos = [("PyTorch", torch), *((v.name, v.video) for v in variants)]
    _, _, frames, height, width = torch.shape
    across, down = width * scale + gap, height * scale + gap
    sheet = Image.new("RGB", (label + frames * across, len(videos) * down),
                      "white")
    draw = ImageDraw.Draw(sheet)
    for row, (name, video) in enumerate(videos):
        draw.text((4, row * down + down // 2 - 6), name, fill="black")
        for column in range(frames):
            sheet.paste(to_image(video[0, :, column], scale),
                        (label + column * across, row * down))
    sheet.save(path)


def heat_map(title, sites, values):
    """An SVG with a row for each site and a column for each head; dark is 1."""
    cell, left, top = 44, 120, 44
    heads = max(map(len, values))
    parts = [f'<svg role="img" aria-label="{html.escape(title)}" '
             f'width="{left + heads * cell + 8}" '
             f'height="{top + len(sites) * cell + 8}" '
             'font-family="sans-serif" font-size="12">',
             f'<text x="0" y="14" font-weight="bold">{html.escape(title)}</text>']
    for head in range(heads):
        parts.append(f'<text x="{left + head * cell + cell / 2}" y="{top - 6}" '
                     f'text-anchor="middle">head {head}</text>')
    for row, (site, numbers) in enumerate(zip(sites, values)):
        y = top + row * cell
        parts.append(f'<text x="{left - 8}" y="{y + cell / 2 + 4}" '
                     f'text-anchor="end">{html.escape(site)}</text>')
        for head, number in enumerate(numbers):
            light = round(245 - 190 * number)
            ink = "black" if number < 0.6 else "white"
            x = left + head * cell
            parts.append(
                f'<rect x="{x}" y="{y}" width="{cell - 2}" height="{cell - 2}" '
                f'fill="rgb({light},{light},{min(255, light + 40)})"/>'
                f'<text x="{x + cell / 2 - 1}" y="{y + cell / 2 + 4}" '
                f'text-anchor="middle" fill="{ink}">{number:.2f}</text>')
    return "".join(parts) + "</svg>"


def as_table(variants):
    cells = lambda tag, row: "".join(f"<{tag}>{html.escape(c)}</{tag}>"
                                     for c in row)
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows(variants))
    return f"<table><tr>{cells('th', COLUMNS)}</tr>{body}</table>"


def steps_table(variants):
    """For each site, the steps that each variant computes it in."""
    sites = [site["site"] for site in variants[0].cost["sites"]]
    header = "".join(f"<th>{html.escape(v.name)}</th>" for v in variants)
    body = ""
    for i, site in enumerate(sites):
        numbers = "".join(
            f"<td>{v.cost['sites'][i]['executed_steps']} of "
            f"{v.cost['sites'][i]['steps']}</td>" for v in variants)
        body += f"<tr><td>{html.escape(site)}</td>{numbers}</tr>"
    return f"<table><tr><th>site</th>{header}</tr>{body}</table>"


def write_html(path, variants, profile, frames):
    sparse = next(v for v in variants if v.name == "sparse")
    sites = sparse.cost["sites"]
    names = [site["site"] for site in sites]
    kept = heat_map("Share of scores kept, mean over the steps", names,
                    [site["kept_share"] for site in sites])
    measured = heat_map("Sparsity measured in the profile", names,
                        [profile[name]["sparsity"] for name in names])
    picture = base64.b64encode(frames.read_bytes()).decode()
    path.write_text(f"""<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>wan-mini through dit</title>
<style>
body {{ font-family: sans-serif; margin: 2em; max-width: 75em }}
table {{ border-collapse: collapse; margin: 1em 0 }}
td, th {{ border-bottom: 1px solid #ccc; padding: .3em .8em; text-align: right }}
td:first-child, th:first-child {{ text-align: left }}
img {{ max-width: 100%; image-rendering: pixelated }}
.maps {{ display: flex; flex-wrap: wrap; gap: 3em }}
</style>
<h1>wan-mini through dit</h1>
<p>A trained video transformer (4 layers, 4 heads, 2048 tokens), sampled in 30
steps by three programs that were compiled from the same loop and model. PSNR
has a peak of 2. Attention FLOPs count QK<sup>T</sup> and PV of all steps, and
the scores from which tiles are selected.</p>
{as_table(variants)}
<h2>Frames</h2>
<img alt="frames of PyTorch and the three variants"
 src="data:image/png;base64,{picture}">
<h2>Sparsity of each head</h2>
<p>Left what the sparse program keeps, right one minus the share of keys that
hold 90&nbsp;% of the softmax mass, the lower of two steps of the profile.
Heads that measure less than the threshold keep everything.</p>
<div class="maps">{kept}{measured}</div>
<h2>Steps that compute</h2>
{steps_table(variants)}
</html>
""")
