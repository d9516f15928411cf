/** What a terminal shows after some output: enough of one to see whether a status line leaves anything behind. */

/** The rows from top to bottom, blanks at their ends removed. Knows line feeds, carriage returns, `ESC [ K` and colours; refuses the rest. */
export function screen(output: string, columns: number): readonly string[] {
  const rows: string[] = [''];
  let at = 0;
  let text = output;
  while (text !== '') {
    // oxlint-disable-next-line no-control-regex -- a terminal is made of them
    const control = /^(?:\n|\r|\u001b\[K|\u001b\[[0-9;]*m)/.exec(text)?.[0];
    const character = control ?? String.fromCodePoint(text.codePointAt(0) ?? 0);
    text = text.slice(character.length);
    const row = rows.at(-1) ?? '';
    if (character === '\n') at = rows.push('') && 0;
    else if (character === '\r') at = 0;
    else if (character === '\u001b[K') rows[rows.length - 1] = row.slice(0, at);
    else if (control === undefined) {
      if (character < ' ')
        throw new Error(`control character ${JSON.stringify(character)} in ${JSON.stringify(output)}`);
      if (at === columns) at = rows.push('') && 0;
      const current = rows.at(-1) ?? '';
      rows[rows.length - 1] = current.slice(0, at).padEnd(at) + character + current.slice(at + 1);
      at += 1;
    }
  }
  return rows.map((row) => row.trimEnd());
}
