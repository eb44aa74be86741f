/**
 * Which file is which. The fast path is (device, inode, size, mtime). The id, fixed at first sight, is a hash of the first 64 KiB after
 * the header, the size and the mtime: never of the header alone, which all dumps of a system share, nor of the inode alone, which the
 * file system gives to the next file. Its first 16 hex digits are the content's, so that files which begin alike are known by their ids.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { FileIdentity } from "../../core/store.ts";
import type { Facts, OpenFile } from "./disk.ts";

/** Bytes after the header that the id goes by. */
export const headBytes = 64 * 1024;
const contentDigits = 16;
const restDigits = 8;

/** The part of a file that its id goes by: through its first line (where the header is), and 64 KiB more. */
export function idWindow(head: Uint8Array): Uint8Array {
  const firstLine = head.subarray(0, headBytes).indexOf(10) + 1;
  return head.subarray(0, firstLine + headBytes);
}

/** Reads what {@linkcode idWindow} needs: at most the first 128 KiB, and no more than `sizeMax` bytes. */
export async function readHead(file: OpenFile, sizeMax: number): Promise<Uint8Array> {
  const head = new Uint8Array(Math.min(sizeMax, 2 * headBytes));
  let length = 0;
  while (length < head.length) {
    const read = await file.read(head.subarray(length));
    if (read === null) break;
    length += read;
  }
  return head.subarray(0, length);
}

/** The content part of an id. */
export function contentHash(head: Uint8Array): string {
  return createHash("sha256").update(idWindow(head)).digest("hex").slice(0, contentDigits);
}

/**
 * The id of a file.
 *
 * @param salt tells apart two files that are alike in all that the id goes by; 0 for the first
 */
export function fileIdOf(content: string, sizeBytes: number, mtimeMs: number, salt = 0): string {
  const rest = createHash("sha256").update(`${sizeBytes} ${mtimeMs}${salt === 0 ? "" : ` ${salt}`}`).digest("hex");
  return content + rest.slice(0, restDigits);
}

/** The content part of an id made by {@linkcode fileIdOf}. */
export function contentOf(fileId: string): string {
  return fileId.slice(0, contentDigits);
}

/** The identity of an entry. */
export function identityOf(facts: Facts): FileIdentity {
  return { device: facts.device, inode: facts.inode, sizeBytes: facts.sizeBytes, mtimeMs: facts.mtimeMs };
}

/** Whether nothing that the file system tells is different. */
export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return sameInode(a, b) && a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs;
}

/** Whether they are the same file, at whatever length. */
export function sameInode(a: FileIdentity, b: FileIdentity): boolean {
  return a.inode === b.inode && a.device === b.device;
}
