/**
 * What a check found out.
 *
 * @module
 */

/** One thing that was tried, for `check --connect` or `doctor`. */
export interface Finding {
  readonly ok: boolean;
  /** What was tried: `MQTT broker mqtt://127.0.0.1:1883`. */
  readonly subject: string;
  /** What came of it: `connected as "gw1", MQTT 5`. */
  readonly result: string;
  /** What to do about it, when not ok. */
  readonly advice?: string;
}
