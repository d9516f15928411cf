/** The patches of a package as its Buildfile names them. */
import { type Package, packageId } from '../buildfile/package.ts';
import { VbuildError } from '../model/error.ts';
import { readSeries, type Series } from '../patches/series.ts';

/** None where it names none. @param folder That of the Buildfile, absolute. @throws {VbuildError} as `readSeries`, with the package. */
export function seriesOf(one: Package, folder: string): Series {
  try {
    return readSeries(one.patches, folder);
  } catch (thrown) {
    throw thrown instanceof VbuildError ? thrown.at({ package: packageId(one) }) : thrown;
  }
}
