/**
 * Settings of decoders and rules as they are when nobody says anything: what a test changes stands in the test.
 *
 * @module
 */
import type { NormalizerOptions } from "../../src/decode/normalizer.ts";
import type { OpenDecoderOptions } from "../../src/decode/open_decoder.ts";

/** No schema, no aliases, no rules. */
export const plainRules: NormalizerOptions = {
  schema: null,
  aliases: {},
  extra: "keep",
  sets: [],
  filter: null,
  timeZone: "UTC",
  timeFormat: "epoch",
};

/** Any format; rows of up to 1 MiB, under any header. */
export const plainFormats: OpenDecoderOptions = {
  format: null,
  delimiter: null,
  comment: null,
  skipLines: 0,
  columns: null,
  rowBytesMax: 1024 ** 2,
  checkHeader: () => {},
};
