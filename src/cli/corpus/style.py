"""The style of the report."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { --back: #fff; --text: #1c2430; --soft: #5b6675; --line: #d9dee6; --panel: #f6f8fa; --way: #3b6fb6;
  --good: #2f8a57; --bad: #c2453f; --ended: #b07a17; --box: #fff }
@media (prefers-color-scheme: dark) { :root { --back: #14181f; --text: #e3e8ef; --soft: #98a4b3; --line: #333c49;
  --panel: #1b212a; --way: #7aa7e6; --good: #5cbf88; --bad: #ef7f79; --ended: #dcab4b; --box: #202732 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 3rem }
h1 { margin: 0 0 .5rem; font-size: 1.7rem; line-height: 1.2 }
h2 { margin: 2.2rem 0 .6rem; font-size: 1.2rem }
p { margin: .4rem 0 .8rem; max-width: 46rem }
.verdict { padding: .5rem .8rem; border-left: 4px solid; background: var(--panel) }
.verdict.good { border-color: var(--good) }
.verdict.bad { border-color: var(--bad) }
.soft, footer { color: var(--soft); font-size: .9rem }
section, details { overflow-x: auto }
table { width: 100%; border-collapse: collapse; font-size: .92rem }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: middle }
th { color: var(--soft); font-weight: 600; white-space: nowrap }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.wide { width: 40%; min-width: 9rem }
code { font: .88em ui-monospace, monospace; overflow-wrap: anywhere }
td code, td:first-child { white-space: nowrap }
@media (max-width: 45rem) { .ends code { display: block } }
.bar { height: .8rem; border-radius: 2px; background: var(--way) }
.bar.good { background: var(--good) }
.bar.bad { background: var(--bad) }
.bar.ended { background: var(--ended) }
.times svg { display: block; width: 100%; height: 1.9rem }
.times rect { fill: var(--way) }
.times line { stroke: var(--line); vector-effect: non-scaling-stroke }
.axis { display: flex; font-weight: 400; font-size: .78rem }
.axis span { flex: 1 1 0; overflow: visible; white-space: nowrap }
.drawing { overflow-x: auto; padding: .5rem; border: 1px solid var(--line); border-radius: 8px;
  background: var(--panel) }
.drawing svg { display: block; margin: 0 auto; height: auto;
  width: max(min(100%, var(--width)), min(44rem, var(--width))) }
.drawing text { text-anchor: middle; font: 12px system-ui, sans-serif; fill: var(--text) }
.drawing .state { font-weight: 600; font-size: 13px }
.drawing .times { fill: var(--soft) }
.drawing .count { paint-order: stroke; stroke: var(--panel); stroke-width: 4px; stroke-linejoin: round }
.box { fill: var(--box); stroke: var(--way); stroke-width: 1.5 }
.box.good { stroke: var(--good) }
.box.bad { stroke: var(--bad) }
.box.ended { stroke: var(--ended) }
.arrow { fill: none; stroke: var(--way); stroke-opacity: .75 }
.arrow.good { stroke: var(--good) }
.arrow.bad { stroke: var(--bad) }
.arrow.ended { stroke: var(--ended) }
.head { fill: var(--way) }
.head.good { fill: var(--good) }
.head.bad { fill: var(--bad) }
.head.ended { fill: var(--ended) }
summary { margin: .8rem 0; cursor: pointer }
ul { padding-left: 1.2rem }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .8rem }
"""
"""Each colour has a name or a number beside it. All have enough contrast in light and dark."""
