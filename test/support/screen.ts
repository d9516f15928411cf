/** What a terminal shows after some output: enough of one to see whether a live region leaves anything behind. */

/**
 * The rows from top to bottom, blanks at their ends removed. Knows line feeds, carriage returns, `ESC [ n A`, `ESC [ J`, `ESC [ K` and
 * colours; refuses the rest. Never scrolls.
 */
export function screen(output: string, columns: number): readonly string[] {
  const rows: string[] = [''];
  let [row, at] = [0, 0];
  let text = output;
  const down = (): void => {
    row += 1;
    at = 0;
    if (rows[row] === undefined) rows.push('');
  };
  while (text !== '') {
    // oxlint-disable-next-line no-control-regex -- a terminal is made of them
    const control = /^(?:\n|\r|\u001b\[(\d*)A|\u001b\[[JK]|\u001b\[[0-9;]*m)/.exec(text);
    const character = control?.[0] ?? String.fromCodePoint(text.codePointAt(0) ?? 0);
    text = text.slice(character.length);
    if (character === '\n') down();
    else if (character === '\r') at = 0;
    else if (character.endsWith('A') && control !== null) row = Math.max(0, row - Number(control[1] || 1));
    else if (character === '\u001b[J' || character === '\u001b[K') {
      rows[row] = (rows[row] ?? '').slice(0, at);
      if (character === '\u001b[J') rows.length = row + 1;
    } else if (control === null) {
      if (character < ' ')
        throw new Error(`control character ${JSON.stringify(character)} in ${JSON.stringify(output)}`);
      if (at === columns) down();
      const current = rows[row] ?? '';
      rows[row] = current.slice(0, at).padEnd(at) + character + current.slice(at + 1);
      at += 1;
    }
  }
  return rows.map((shown) => shown.trimEnd());
}
