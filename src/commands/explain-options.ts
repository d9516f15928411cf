/** The options of the commands that explain alone; a part of the table of options. */
import type { OptionRow } from './option-table.ts';

export const explainOptions = [
  { name: 'svg', type: 'flag', summary: 'draw a picture', commands: ['graph'] },
  { name: 'dot', type: 'flag', summary: 'write the graph in the language of Graphviz', commands: ['graph'] },
  { name: 'mermaid', type: 'flag', summary: 'write the graph as a Mermaid flowchart', commands: ['graph'] },
] as const satisfies readonly OptionRow[];
