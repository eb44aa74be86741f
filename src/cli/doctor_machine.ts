/**
 * What `doctor` finds out about the machine: page size, clock, disk, and the rights on the state folder.
 *
 * @module
 */
import type { Settings } from "../config/settings.ts";
import { messageOf } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import { formatBytes, printable, quoted } from "../core/text.ts";
import { machineDisk } from "../source/files/disk.ts";

/** What the page size is, where the machine tells: see `pageSizeIn`. */
const auxiliaryVector = "/proc/self/auxv";
/** What a kernel for ARM was built with; a compiled program may look at this, and not into /proc. */
const pagesOfKernel = /^CONFIG_ARM64_(4|16|64)K_PAGES=y$/m;
/** systemd-timesyncd touches it at each synchronization (systemd-timesyncd.service(8)). */
const synchronizedFile = "/run/systemd/timesync/synchronized";
/** No machine that runs this can be there: its clock has not been set. */
const yearMin = 2025;
const yearMax = 2100;
/** Besides dead letters and spool: checkpoints, receipts, SQLite's write-ahead log. */
const stateBytesMin = 64 * 1024 ** 2;
const pageBytes = 4096;

/** Looks at the machine. Never throws for what it says. */
export async function machineFindings(settings: Settings, wallMs: number): Promise<readonly Finding[]> {
  return [
    await pageSizeFinding(),
    await clockFinding(wallMs),
    ...await diskFindings(settings),
    ...await rightsFindings(settings.stateDir),
  ];
}

async function pageSizeFinding(): Promise<Finding> {
  const subject = "Page size";
  const bytes = await pageBytesHere();
  if (bytes === null) {
    const advice =
      "Ask the system: getconf PAGESIZE. It must say 4096; with 16384 (Raspberry Pi 5) V8 was seen to crash";
    return { ok: true, subject, result: "this program may not look at it", advice };
  }
  if (bytes <= pageBytes) return { ok: true, subject, result: formatBytes(bytes) };
  return {
    ok: false,
    subject,
    result: `${formatBytes(bytes)}: V8 was seen to crash on pages of more than ${formatBytes(pageBytes)}`,
    advice: "On a Raspberry Pi write kernel=kernel8.img into /boot/firmware/config.txt and restart; " +
      "elsewhere choose a kernel with pages of 4 KiB",
  };
}

/** Null when nothing tells it. */
async function pageBytesHere(): Promise<number | null> {
  // Machines of this kind have no other pages.
  if (Deno.build.arch === "x86_64") return pageBytes;
  return await attempt(async () => pageSizeIn(await Deno.readFile(auxiliaryVector))) ??
    await attempt(async () => pageSizeOfKernel(await Deno.readTextFile(`/boot/config-${Deno.osRelease()}`)));
}

/** What the settings that a kernel was built with say, in bytes; null when they do not. */
export function pageSizeOfKernel(config: string): number | null {
  const [, kib] = pagesOfKernel.exec(config) ?? [];
  return kib === undefined ? null : Number(kib) * 1024;
}

/** AT_PAGESZ of the auxiliary vector, pairs of machine words (getauxval(3)); null when it is not there. */
export function pageSizeIn(vector: Uint8Array): number | null {
  const view = new DataView(vector.buffer, vector.byteOffset, vector.byteLength);
  const pageSizeKey = 6n;
  for (let at = 0; at + 16 <= vector.byteLength; at += 16) {
    // Both machines that Weir is built for are little-endian and of 64 bits.
    if (view.getBigUint64(at, littleEndian) === pageSizeKey) return Number(view.getBigUint64(at + 8, littleEndian));
  }
  return null;
}

const littleEndian = true;

async function clockFinding(wallMs: number): Promise<Finding> {
  const subject = "Clock";
  const now = new Date(wallMs);
  const year = now.getUTCFullYear();
  const says = `it is ${now.toISOString().slice(0, 19)}Z`;
  if (year < yearMin || year > yearMax) {
    const advice = "Set it (timedatectl set-ntp true): readings without a time of their own get this one, " +
      "and certificates will not be valid";
    return { ok: false, subject, result: `${says}, which cannot be`, advice };
  }
  if (await attempt(() => Deno.stat(synchronizedFile)) !== null) {
    return { ok: true, subject, result: `${says}, synchronized by systemd-timesyncd` };
  }
  const advice = "See that something keeps it right: timedatectl, or chronyc tracking";
  return { ok: true, subject, result: `${says}; nothing tells whether it is synchronized`, advice };
}

async function diskFindings({ stateDir, limits, mqtt }: Settings): Promise<readonly Finding[]> {
  const subject = `Disk of the state folder ${quoted(stateDir)}`;
  const free = await machineDisk.freeBytes(stateDir);
  // `check` tells what is wrong with the folder itself.
  if (free === null) return [];
  const spoolBytesMax = mqtt === null ? 0 : limits.spoolBytesMax;
  const needed = limits.deadLetterBytesMax + spoolBytesMax + stateBytesMin;
  const result = `${formatBytes(free)} free`;
  if (free >= needed) return [{ ok: true, subject, result }];
  const spool = spoolBytesMax === 0 ? "" : ` or --spool-max (${formatBytes(spoolBytesMax)})`;
  const advice = `Make room for ${formatBytes(needed)}, or lower --dead-letter-max (${
    formatBytes(limits.deadLetterBytesMax)
  })${spool}: on a full disk files pause${
    spool === "" ? "" : ", and streams wait unacknowledged while the sink is away"
  }`;
  return [{ ok: false, subject, result, advice }];
}

async function rightsFindings(stateDir: string): Promise<readonly Finding[]> {
  const subject = `Rights on the state folder ${quoted(stateDir)}`;
  try {
    const { mode, uid } = await Deno.stat(stateDir);
    const open = (mode ?? 0) & 0o077;
    const bits = ((mode ?? 0) & 0o777).toString(8).padStart(4, "0");
    if (open !== 0) {
      const advice = `Others can look at what sensors sent: chmod 700 ${printable(stateDir)}`;
      return [{ ok: false, subject, result: `mode ${bits}`, advice }];
    }
    const me = Deno.uid();
    if (uid !== null && me !== null && uid !== me) {
      const advice = "Run this as the user that the gateway runs as, so that it sees what that one sees";
      return [{ ok: true, subject, result: `mode ${bits}, of user ${uid}; this is user ${me}`, advice }];
    }
    return [{ ok: true, subject, result: `mode ${bits}` }];
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) {
      return [{ ok: true, subject, result: "it is not there yet: the gateway makes it" }];
    }
    return [{ ok: false, subject, result: printable(messageOf(thrown)), advice: "Let this user look into it" }];
  }
}

/** Null when the machine, or the rights that the program was built with, do not allow it. */
async function attempt<T>(act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch {
    return null;
  }
}
