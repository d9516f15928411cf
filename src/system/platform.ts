/** What machine this is, as far as artifacts depend on it. */
import { arch, platform } from 'node:process';
import { exists, readIfThere } from './files.ts';
import { VbuildError } from '../model/error.ts';

/** Where the distribution says what it is. */
export const releaseFile = '/etc/os-release';

const loaders: Readonly<Record<string, string>> = {
  x64: '/lib64/ld-linux-x86-64.so.2',
  arm64: '/lib/ld-linux-aarch64.so.1',
};

/** How a platform is spelt: system, architecture and C library, then distribution and release. */
export const platformSpelling = /^linux-(x64|arm64)-glibc [a-z0-9._-]+-[A-Za-z0-9._-]+$/;

/**
 * Such as `linux-x64-glibc debian-12`: system, architecture, C library, and the distribution's release from /etc/os-release.
 * @throws {VbuildError} `unsupported-host` anywhere but on Linux with glibc on x64 or arm64.
 */
export function hostPlatform(): string {
  const loader = loaders[arch];
  if (platform !== 'linux' || loader === undefined || !exists(loader)) {
    throw new VbuildError('unsupported-host', 'This host is not supported', {
      facts: {
        expected: 'Linux with glibc on x64 or arm64',
        found: `${platform} on ${arch}${platform === 'linux' && loader !== undefined ? ' without glibc' : ''}`,
      },
      mend: 'run vbuild on a supported host, such as Debian 12',
    });
  }
  const release = readIfThere(releaseFile) ?? '';
  const value = (name: string): string => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(release)?.[1] ?? 'unknown';
  return `linux-${arch}-glibc ${value('ID')}-${value('VERSION_ID')}`;
}

/** Names this start of the machine: what was written before and not flushed may have been lost with the power since. */
export const bootId = (): string => readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? 'unknown';
