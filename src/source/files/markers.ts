/**
 * Markers go when the files that they stand for go: `<name>.done` with its file, `_SUCCESS` with the last file that it covers.
 *
 * @module
 */
import { dirname } from "node:path";
import type { Disk } from "./disk.ts";
import { type ListedFile, type Listing, successMarker } from "./folder.ts";
import { successMarkerFor } from "./completeness.ts";

/** Removes the markers of a file that was archived or deleted. Rejects with what the operating system says. */
export async function removeMarkers(disk: Disk, file: ListedFile, listing: Listing | null): Promise<void> {
  const own = `${file.fullPath}.done`;
  if (await disk.facts(own) !== null) await disk.remove(own);
  const marker = successMarkerFor(file.path);
  const markedMs = listing?.markers.get(marker);
  if (listing === null || markedMs === undefined) return;
  for (const other of listing.files) {
    const covered = successMarkerFor(other.path) === marker && other.mtimeMs <= markedMs;
    if (covered && await disk.facts(other.fullPath) !== null) return;
  }
  const path = `${dirname(file.fullPath)}/${successMarker}`;
  if (await disk.facts(path) !== null) await disk.remove(path);
}
