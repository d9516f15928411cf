/** How a command prints what it found out; loads nothing that reads a Buildfile. */
import { withoutPasswords } from '../model/passwords.ts';
import { jsonLine } from '../report/json.ts';
import type { CommandContext } from './command.ts';

/** Writes a result as text, or as one JSON document under `--json`; either way without the passwords of URLs. */
export function printResult({ stdout, line }: CommandContext, text: () => string, data: () => unknown): void {
  stdout.write(line.options.json ? `${jsonLine(data())}\n` : withoutPasswords(text()));
}
