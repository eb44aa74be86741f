/**
 * A file that only whole lines are added to. Each append is synced to the disk before it counts; one that fails half-way is cut
 * off again before the next try, so that no line stands there twice or torn. What a crash tore is mended when the file is opened.
 *
 * @module
 */
import { messageOf, WeirError } from "../../core/error.ts";
import type { Emit } from "../../core/event.ts";
import { formatBytes, quoted } from "../../core/text.ts";
import type { LineTarget } from "../line_writer.ts";

/** What is asked of an open file; tests put a failing disk here. */
export type DiskFile =
  & Pick<Deno.FsFile, "read" | "write" | "seek" | "stat" | "truncate" | "syncData" | "close">
  // Not every Deno that runs Weir has it; without it two gateways on one file are not found out.
  & { readonly tryLock?: (exclusive: boolean) => Promise<boolean> };

/** A longer last line is not one that Weir tore: the file is left alone. */
export const tornLineBytesMax = 16 * 1024 * 1024;
const chunkBytes = 64 * 1024;
const newline = 0x0a;

/**
 * Opens the file for appending, makes it when it is missing, and mends its last line.
 *
 * @throws {WeirError} `permission`, `configuration` (no folder, not a file, or not a file of JSON lines), `locked`, `storage`.
 */
export async function openLineFile(
  path: string,
  emit: Emit,
  openDisk: (path: string) => Promise<DiskFile> = openForAppend,
): Promise<LineTarget> {
  let file = await openMended(path, emit, openDisk);
  /** Up to here every line is whole and synced. */
  let goodBytes = 0;
  let torn = false;

  /** However an append ends, what is not known to be good goes before the next one. Cutting never lengthens the file. */
  async function makeGood(): Promise<void> {
    const { size, nlink } = await file.stat();
    if (nlink === 0) return await beginAgain();
    if (torn) await file.truncate(Math.min(goodBytes, size));
    else goodBytes = size;
  }

  /** Lines in a file without a name would be gone with this process. */
  async function beginAgain(): Promise<void> {
    const fresh = await openMended(path, emit, openDisk);
    file.close();
    file = fresh;
    goodBytes = (await file.stat()).size;
    emit("warn", "ndjson.file_removed", `The file ${quoted(path)} was removed while it was written to: begun again`);
  }

  return {
    async append(lines) {
      try {
        await makeGood();
        torn = true;
        await writeAll(file, lines);
        await file.syncData();
        torn = false;
      } catch (thrown) {
        throw new WeirError("storage", `Cannot write ${quoted(path)}: ${messageOf(thrown)}`, {
          retriable: true,
          advice: "Look at the disk (df, mount, dmesg)",
          cause: thrown,
        });
      }
    },
    close() {
      file.close();
      return Promise.resolve();
    },
  };
}

async function openMended(
  path: string,
  emit: Emit,
  openDisk: (path: string) => Promise<DiskFile>,
): Promise<DiskFile> {
  const file = await openDisk(path).catch((thrown) => {
    throw openError(path, thrown);
  });
  try {
    await mustBeAlone(file, path);
    await mendLastLine(file, path, emit);
    return file;
  } catch (thrown) {
    file.close();
    throw thrown instanceof WeirError ? thrown : openError(path, thrown);
  }
}

async function writeAll(file: DiskFile, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.byteLength;) from += await file.write(bytes.subarray(from));
}

/**
 * Made for its owner and group alone: readings are nobody else's business. A file that is there keeps its rights. It comes with its name
 * on the disk.
 */
async function openForAppend(path: string): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { create: true, append: true, read: true, mode: 0o640 });
  try {
    await syncFolderOf(path);
    return file;
  } catch (thrown) {
    file.close();
    throw thrown;
  }
}

/** Two writers would cut off each other's lines. */
async function mustBeAlone(file: DiskFile, path: string): Promise<void> {
  if (!(await file.stat()).isFile) {
    throw new WeirError("configuration", `Cannot write to ${quoted(path)}: it is not a regular file`, {
      advice: "Name a file, or use --sink stdout for a pipe",
    });
  }
  const exclusive = true;
  if (file.tryLock === undefined || await file.tryLock(exclusive)) return;
  throw new WeirError("locked", `Cannot write to ${quoted(path)}: another gateway writes to it`, {
    retriable: true,
    advice: "Give each gateway a file of its own",
  });
}

/** Cuts off a torn last line, or ends one that only lacks its newline. */
async function mendLastLine(file: DiskFile, path: string, emit: Emit): Promise<void> {
  const { size } = await file.stat();
  const start = await lastLineStart(file, size, path);
  if (start === size) return;
  const tail = new Uint8Array(size - start);
  await readAt(file, start, tail);
  if (isWholeJson(tail)) {
    await writeAll(file, new Uint8Array([newline]));
    await file.syncData();
    emit("info", "ndjson.line_completed", `The last line of ${quoted(path)} lacked its newline: added`);
    return;
  }
  // A crash leaves the beginning of an object, or zeros where the disk never got the bytes.
  if (tail[0] !== 0x7b && tail[0] !== 0) throw notOurs(path);
  await file.truncate(start);
  await file.syncData();
  const cut = size - start;
  emit(
    "warn",
    "ndjson.line_cut",
    `The last line of ${quoted(path)} was torn by a crash and is cut off (${
      formatBytes(cut)
    }); its reading was never ` +
      "reported as delivered and comes again",
    { cut_bytes: cut },
  );
}

/** Offset after the last newline; 0 when there is none. */
async function lastLineStart(file: DiskFile, size: number, path: string): Promise<number> {
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - chunkBytes);
    const chunk = new Uint8Array(end - start);
    await readAt(file, start, chunk);
    const at = chunk.lastIndexOf(newline);
    if (at >= 0) return start + at + 1;
    if (size - start > tornLineBytesMax) throw notOurs(path);
    end = start;
  }
  return 0;
}

async function readAt(file: DiskFile, offset: number, into: Uint8Array): Promise<void> {
  await file.seek(offset, Deno.SeekMode.Start);
  for (let got = 0; got < into.byteLength;) {
    const count = await file.read(into.subarray(got));
    if (count === null) throw new Error("It became shorter while it was read");
    got += count;
  }
}

function isWholeJson(line: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
    return typeof value === "object";
  } catch {
    return false;
  }
}

/** A new file is only safe once its name is: the folder is synced too. */
async function syncFolderOf(path: string): Promise<void> {
  const slash = path.lastIndexOf("/");
  const folder = await Deno.open(slash < 0 ? "." : path.slice(0, slash + 1));
  try {
    await folder.sync();
  } finally {
    folder.close();
  }
}

function notOurs(path: string): WeirError {
  return new WeirError("configuration", `The file ${quoted(path)} does not end in JSON lines: it is left alone`, {
    advice: "Name another file",
  });
}

/** An error of the operating system, by what the person can do about it. */
export function openError(path: string, thrown: unknown): WeirError {
  const message = `Cannot open ${quoted(path)}: ${messageOf(thrown)}`;
  const cause = thrown;
  if (thrown instanceof Deno.errors.PermissionDenied) {
    return new WeirError("permission", message, {
      advice: "Give the user that runs Weir the right to write it",
      cause,
    });
  }
  const { NotFound, IsADirectory, NotADirectory } = Deno.errors;
  if (thrown instanceof NotFound || thrown instanceof IsADirectory || thrown instanceof NotADirectory) {
    return new WeirError("configuration", message, { advice: "Name a file in a folder that exists", cause });
  }
  return new WeirError("storage", message, { retriable: true, advice: "Look at the disk (df, mount, dmesg)", cause });
}
