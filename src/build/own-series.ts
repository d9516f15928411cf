/** What a package names of the project's own files, looked at now: whatever is wrong is told with the package. */
import { type Package, packageId } from '../buildfile/package.ts';
import { VbuildError } from '../model/error.ts';
import { readSeries, type Series } from '../patches/series.ts';

/** Its patches; none where it names none. @param folder That of the Buildfile, absolute. @throws {VbuildError} as `readSeries`. */
export const seriesOf = (one: Package, folder: string): Series => ofPackage(one, () => readSeries(one.patches, folder));

export function ofPackage<Result>(one: Package, look: () => Result): Result {
  try {
    return look();
  } catch (thrown) {
    throw thrown instanceof VbuildError ? thrown.at({ package: packageId(one) }) : thrown;
  }
}
