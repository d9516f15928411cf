/** The options of the commands that explain alone; a part of the table of options. */
import type { OptionRow } from './option-table.ts';

export const explainOptions = [
  {
    name: 'touch',
    type: 'text',
    several: true,
    value: 'WHAT',
    summary:
      'plan as if the source of these packages, or these files, had changed; several between commas, or given more than once',
    commands: ['plan'],
  },
  {
    name: 'set',
    type: 'text',
    several: true,
    value: 'INPUT',
    summary:
      'plan as if PACKAGE.version=VERSION, PACKAGE.env.NAME=VALUE or tool.NAME=VERSION were so; may be given more than once',
    commands: ['plan'],
  },
  { name: 'svg', type: 'flag', summary: 'draw a picture', commands: ['graph'] },
  { name: 'dot', type: 'flag', summary: 'write the graph in the language of Graphviz', commands: ['graph'] },
  { name: 'mermaid', type: 'flag', summary: 'write the graph as a Mermaid flowchart', commands: ['graph'] },
  {
    name: 'trace',
    type: 'text',
    value: 'FILE',
    summary: 'the trace of a run: write it to FILE as well, or report the one in FILE',
    commands: ['build', 'report'],
  },
  {
    name: 'output',
    short: 'o',
    type: 'text',
    value: 'FILE',
    summary: 'write the page to FILE, or to stdout when it is - (default: report.html in the work folder)',
    commands: ['report'],
  },
] as const satisfies readonly OptionRow[];
