/** How hard the machine is at work already, for holding back what need not start now. */
import { loadavg } from 'node:os';
import { availableMemory } from 'node:process';

interface PressureLimits {
  /** Of the load average over one minute; no limit when not given. */
  readonly load?: number;
  /** How much memory must be left, in bytes; of the control group's, where that has less than the machine. */
  readonly spareMemoryBytes: number;
}

/** Why nothing more should start now; undefined when it may. */
export function pressure({ load, spareMemoryBytes }: PressureLimits): string | undefined {
  const [now = 0] = loadavg();
  if (load !== undefined && now >= load) return `the load average is ${now.toFixed(2)}, the limit ${load}`;
  const left = availableMemory();
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;
  return left < spareMemoryBytes
    ? `${megabytes(left)} of memory are left, the least is ${megabytes(spareMemoryBytes)}`
    : undefined;
}
