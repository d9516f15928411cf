/** The contract of a reporter: how events and errors reach the person, or the program, that started the run. */
import type { BuildEvent } from '../model/event.ts';

/**
 * Never changes an event, never throws for what an event holds, and escapes all text that it prints. Absolute paths
 * inside of the caller's folder are shown relative to it, to people and not in JSON.
 */
export interface Reporter {
  /** Called for each event of a run, in order; keeps no process alive. */
  event(event: BuildEvent): void;
  /** Shows anything thrown, once: what a `package-failed` event has already shown is not repeated. */
  error(thrown: unknown): void;
  /** Takes away what must not stay on the screen. Nothing is reported after it. */
  end(): void;
}

/** Where text goes: the part of a stream that reporters use. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal; 0 or undefined when it is not known. */
  readonly columns?: number;
  /** Its height, in the same way. */
  readonly rows?: number;
  /** Of a terminal: tells when its size has changed. */
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

export interface ReportOptions {
  /** For results and JSON. */
  readonly stdout: Output;
  /** For progress, warnings and errors. */
  readonly stderr: Output;
  /** `quiet`: warnings and errors; `normal`: what is done and why; `verbose`: steps and look-ups too. */
  readonly detail: 'quiet' | 'normal' | 'verbose';
  readonly json: boolean;
  /** Absolute; paths inside it are shown relative to it. */
  readonly cwd: string;
  /** Of the process: `CI`, `TERM`, `NO_COLOR` and `FORCE_COLOR` are looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds from any fixed point, never going back. */
  readonly nowMs: () => number;
}
