/** The artifacts of one run: where each is, and its tree unpacked at most once, for prefixes to be assembled from. */
import { join } from 'node:path';
import type { Manifest } from '../artifact/manifest.ts';
import { unpackVerified } from '../artifact/unpack.ts';
import { type Package, packageId } from '../buildfile/package.ts';
import type { DiskCache } from '../cache/disk.ts';
import type { Member } from '../prefix/assemble.ts';
import { packageFolder } from './graph.ts';
import { inParallel } from './in-parallel.ts';

export interface Artifacts {
  /** Makes an artifact that lies in the disk cache known. */
  add(one: Package, manifest: Manifest): void;
  /** Of a package whose artifact is known. */
  manifest(one: Package): Manifest;
  /** Unpacked and verified, in the given order. @throws {VbuildError} `artifact-refused` */
  members(packages: readonly Package[]): Promise<Member[]>;
  /** The same for the last time in a run: who gets them may take their files. */
  lastMembers(packages: readonly Package[]): Promise<Member[]>;
}

/** Each one that is being unpacked holds some megabytes. */
const atOnce = 4;

/** @param scratch Absolute path of a folder of this run's own; the unpacked trees lie in it. */
export function artifactsOf(disk: DiskCache, scratch: string): Artifacts {
  const manifests = new Map<Package, Manifest>();
  const members = new Map<Package, Promise<Member>>();
  const manifestOf = (one: Package): Manifest => {
    const manifest = manifests.get(one);
    if (manifest === undefined) throw new Error(`No artifact of ${packageId(one)} in this run`);
    return manifest;
  };
  async function unpacked(one: Package): Promise<Member> {
    const manifest = manifestOf(one);
    const tree = join(scratch, packageFolder(one));
    await unpackVerified({ manifest, bodyFile: disk.blobs.pathOf(manifest.body.digest), into: tree });
    return { manifest, tree };
  }
  const membersOf: Artifacts['members'] = (packages) =>
    inParallel(
      packages,
      (one) => {
        const member = members.get(one) ?? unpacked(one);
        members.set(one, member);
        return member;
      },
      atOnce,
    );
  return {
    add(one, manifest) {
      manifests.set(one, manifest);
    },
    manifest: manifestOf,
    members: membersOf,
    lastMembers: async (packages) => (await membersOf(packages)).map((member) => ({ ...member, isSpare: true })),
  };
}
