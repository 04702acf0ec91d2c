"""The page's style: one sheet, light and dark, on screen and on paper."""

SHEET = """
:root { color-scheme: light dark; --ground: #f6f5f1; --card: #fff; --ink: #1d2327; --soft: #5d676e; --edge: #e2dfd7;
  --churn: #c4483a; --intent: #1f7a8c; --money: #b9852b; --alert: #7a4bb3; --good: #2f7d4f; --wash: #efede6; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181b; --card: #1c2226; --ink: #e8e6e1; --soft: #9aa4ab;
  --edge: #2e363b; --churn: #ef7d6c; --intent: #5fb9cb; --money: #e0b25c; --alert: #b692ec; --good: #74c493;
  --wash: #242b30; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 32px 20px 56px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 12px; }
h3 { font-size: 12px; margin: 0 0 6px; color: var(--soft); text-transform: uppercase; letter-spacing: .05em; }
p { margin: 0 0 8px; } ul { margin: 0; padding: 0; list-style: none; }
li { padding: 1px 0 1px 14px; text-indent: -14px; }
li::before { content: "\\2022"; display: inline-block; width: 14px; text-indent: 0; color: var(--edge); }
.soft { color: var(--soft); } .small { font-size: 13px; }
header { display: flex; gap: 12px 20px; align-items: baseline; flex-wrap: wrap; margin-bottom: 6px; }
.badge { border-radius: 99px; padding: 2px 12px; font-weight: 600; font-size: 14px; background: var(--intent);
  color: var(--card); }
.badge.gone { background: var(--churn); } .badge.best { background: var(--alert); }
section { background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 18px 20px;
  margin-top: 16px; break-inside: avoid; }
section.long { break-inside: auto; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(125px, 1fr)); gap: 1px; padding: 0;
  overflow: hidden; background: var(--edge); margin-top: 20px; }
.figures div { background: var(--card); padding: 14px 16px; }
.figures b { display: block; font-size: 22px; font-weight: 650; font-variant-numeric: tabular-nums; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); gap: 18px 28px; }
svg { display: block; width: 100%; height: auto; }
.tick { font-size: 11px; fill: var(--soft); } .middle { text-anchor: middle; } .end { text-anchor: end; }
.grid { stroke: var(--edge); } .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.churn { stroke: var(--churn); } .line.intent { stroke: var(--intent); }
circle.churn { fill: var(--churn); } circle.intent { fill: var(--intent); }
.pole { stroke: var(--alert); stroke-dasharray: 3 3; opacity: .7; } .flag { fill: var(--alert); }
.bar { fill: var(--money); } .cell { fill: var(--intent); } .cell.none { fill: var(--wash); }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-bottom: 4px; font-size: 13px; color: var(--soft); }
.key i { display: inline-block; width: 14px; height: 3px; vertical-align: middle;
  margin-right: 6px; border-radius: 2px; }
i.churn { background: var(--churn); } i.intent { background: var(--intent); }
i.alert { background: var(--alert); height: 9px; width: 9px; }
.alert { border-left: 3px solid var(--alert); padding: 2px 0 2px 14px; margin-bottom: 16px; break-inside: avoid; }
.alert:last-child { margin-bottom: 0; } .came { color: var(--good); font-weight: 600; }
.tag { font-size: 12px; border: 1px solid var(--edge); border-radius: 99px; padding: 1px 9px; margin-left: 6px;
  color: var(--soft); white-space: nowrap; }
.tag.high { color: var(--churn); border-color: currentColor; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 5px 10px 5px 0; border-top: 1px solid var(--edge); vertical-align: top;
  overflow-wrap: anywhere; }
th { border-top: 0; font-size: 12px; color: var(--soft); font-weight: 600; }
td.when { white-space: nowrap; color: var(--soft); font-variant-numeric: tabular-nums; width: 1%; padding-right: 18px; }
td.dot { width: 1%; }
td.dot::before { content: ""; display: inline-block; width: 9px; height: 9px; border-radius: 50%;
  background: var(--soft); opacity: .6; }
td.dot.order::before { background: var(--money); opacity: 1; }
td.dot.cart::before { background: var(--intent); opacity: 1; }
td.dot.alert::before { background: var(--alert); opacity: 1; }
td.dot.back::before { background: var(--churn); opacity: 1; }
td.dot.login::before, td.dot.review::before { background: var(--good); opacity: 1; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
footer { margin-top: 20px; font-size: 12px; color: var(--soft); }
@media print { :root { --ground: #fff; --card: #fff; --ink: #000; --soft: #444; --edge: #ccc; --wash: #f3f3f3;
  --churn: #b03324; --intent: #156071; --money: #96681a; --alert: #5c3391; --good: #1f6a3d; }
  main { max-width: none; padding: 0; } section { border-radius: 0; } body { font-size: 11px; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
