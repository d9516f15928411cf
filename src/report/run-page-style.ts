/** The style sheet of the page that `vbuild report` writes: light or dark as the reader's system is, for screens and for paper. */

export const pageStyle = `
:root { color-scheme: light dark; --paper: #ffffff; --card: #f6f8fa; --ink: #1f2328; --soft: #59636e; --rule: #d1d9e0; --accent: #0b62ba;
  --good: #1a7f37; --bad: #c21f1f; --warn: #8a5a00; --path: #1f2328; --label: #ffffff;
  --fetch: #6f5bb5; --patch: #a1467f; --compile: #2767b0; --pack: #1b7a78; --restore: #3f7d3a; --push: #946015; --install: #59636e; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --card: #161b22; --ink: #e6edf3; --soft: #9198a1; --rule: #30363d; --accent: #6cb6ff;
  --good: #4ac26b; --bad: #ff7b72; --warn: #e3b341; --path: #f0f6fc; --label: #0d1117;
  --fetch: #a993f5; --patch: #e58cc4; --compile: #6cb0ff; --pack: #58c4c1; --restore: #7fcf78; --push: #e0a44e; --install: #9198a1; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 17px; margin: 40px 0 4px; }
p { margin: 4px 0 12px; }
.soft { color: var(--soft); }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
code, .mono { font: 12.5px/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 24px 0 0; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 12px 16px; }
.tiles b { display: block; font-size: 22px; line-height: 1.3; font-weight: 650; font-variant-numeric: tabular-nums; }
.tiles span { font-size: 13px; color: var(--soft); }
.failure { border: 1px solid var(--bad); border-left-width: 5px; border-radius: 8px; padding: 10px 16px; margin: 12px 0; }
.failure p { margin: 0; }
.scroll { overflow-x: auto; border: 1px solid var(--rule); border-radius: 10px; background: var(--card); }
.time { min-width: 760px; padding: 8px 16px 12px 0; }
.axis, .lane { display: grid; grid-template-columns: 92px 1fr; }
.axis { color: var(--soft); font-size: 11.5px; height: 22px; }
.track { position: relative; height: 28px; border-top: 1px solid var(--rule); }
.axis .track { border: 0; height: 22px; }
.lane > span { font-size: 12px; color: var(--soft); padding: 5px 10px; text-align: right; white-space: nowrap; border-top: 1px solid var(--rule); }
.tick { position: absolute; top: 3px; transform: translateX(-50%); white-space: nowrap; font-variant-numeric: tabular-nums; }
.tick:first-child { transform: none; }
.grid { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--rule); opacity: 0.6; }
.bar { position: absolute; top: 3px; height: 22px; min-width: 2px; border-radius: 3px; background: var(--tone); color: var(--label); font-size: 11px;
  line-height: 22px; padding: 0; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; text-indent: 5px; }
.bar.thin { text-indent: 100%; }
.bar.path { box-shadow: 0 0 0 2px var(--card), 0 0 0 4px var(--path); z-index: 1; }
.bar.broken { background: repeating-linear-gradient(135deg, var(--bad) 0 6px, var(--tone) 6px 12px); }
.bar i { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--label); opacity: 0.55; }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 12.5px; color: var(--soft); margin: 10px 0 0; padding: 0; list-style: none; }
.key li::before { content: ""; display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; background: var(--tone); }
.key .outlined::before { background: none; border: 2px solid var(--path); }
${['fetch', 'patch', 'compile', 'pack', 'restore', 'push', 'install'].map((one) => `.${one} { --tone: var(--${one}); }`).join('\n')}
table { width: 100%; border-collapse: collapse; font-size: 13.5px; }
th { text-align: left; font-size: 12px; font-weight: 600; color: var(--soft); white-space: nowrap; }
th, td { padding: 8px 12px; border-top: 1px solid var(--rule); vertical-align: top; }
thead th { border-top: 0; }
td { overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
td.name { white-space: nowrap; font-weight: 600; } td.name .soft { font-weight: 400; }
td.mark { white-space: nowrap; }
.why { max-width: 360px; } .caches { max-width: 260px; }
.share { height: 6px; border-radius: 3px; background: var(--tone); min-width: 2px; margin-top: 7px; }
td.wide { width: 34%; min-width: 120px; }
ul.plain { margin: 8px 0; padding-left: 20px; }
footer { margin-top: 48px; padding-top: 16px; border-top: 1px solid var(--rule); font-size: 13px; color: var(--soft); }
@media (max-width: 640px) { main { padding: 20px 14px 40px; } h1 { font-size: 22px; } }
@media print { .scroll { overflow: visible; } main { max-width: none; } .bar { print-color-adjust: exact; } }
`;
